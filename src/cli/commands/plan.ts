import {reasonText} from '../../plan/reason-text.ts';
import {planText} from '../../results/plan-text.ts';
import {EXIT} from '../exit-code.ts';
import {printFaults} from '../faults.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {prepare} from '../prepare.ts';

export async function planCommand(file: string, options: PipelineOptions & {readonly all?: true}): Promise<number> {
  const json = options.json ?? false;
  const prepared = await prepare(file, options, 'look');
  if (!prepared.ok) {
    printFaults(prepared.error, json);
    return EXIT.wrong;
  }
  const {graph, plan} = prepared.value;
  if (json) {
    const instances = plan.instances.map(({instance, verdict, reason}) => {
      const {id, node, axes} = instance;
      return {id, node, axes, verdict, reason: reasonText(reason)};
    });
    process.stdout.write(`${JSON.stringify({instances})}\n`);
  } else {
    process.stdout.write(`${planText(graph, plan, options.all ?? false)}\n`);
  }
  return EXIT.done;
}
