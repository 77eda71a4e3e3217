import {explainInstance} from '../../plan/explain.ts';
import type {Change} from '../../plan/verdict.ts';
import {EXIT} from '../exit-code.ts';
import {printFaults} from '../faults.ts';
import {findInstances} from '../find-instance.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {prepare} from '../prepare.ts';

export async function explainCommand(file: string, name: string, options: PipelineOptions): Promise<number> {
  const json = options.json ?? false;
  const prepared = await prepare(file, options, 'look');
  if (!prepared.ok) {
    printFaults(prepared.error, json);
    return EXIT.wrong;
  }
  const {graph, plan, store} = prepared.value;
  const found = findInstances(graph, name);
  if (!found.ok) {
    printFaults(found.error, json);
    return EXIT.wrong;
  }
  for (const {id} of found.value) {
    const explanation = explainInstance(graph, plan, store, id);
    if (json) {
      process.stdout.write(`${JSON.stringify(explanation)}\n`);
    } else {
      const changes = explanation.changes.map((change) => `  ${changeLine(change)}`);
      process.stdout.write(`${[`${id}: ${explanation.verdict}`, ...changes].join('\n')}\n`);
    }
  }
  return EXIT.done;
}

const changeLine = ({path, before, after}: Change): string =>
  `${path}: ${before === undefined ? '(absent)' : JSON.stringify(before)} → ${after === undefined ? '(absent)' : JSON.stringify(after)}`;
