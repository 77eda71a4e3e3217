import {diagnosticJson, formatDiagnostic} from '../../base/diagnostic.ts';
import type {Graph} from '../../graph/graph.ts';
import {narrowed} from '../../graph/narrowed.ts';
import {type Foretold, foresee} from '../../plan/foresee.ts';
import {type PredictedTime, predictTime} from '../../plan/predict-time.ts';
import {reasonText} from '../../plan/reason-text.ts';
import {undeclaredFiles} from '../../plan/undeclared-files.ts';
import {type Plan, plannedOf} from '../../plan/verdict.ts';
import {mermaid} from '../../results/mermaid.ts';
import {planText} from '../../results/plan-text.ts';
import {EXIT} from '../exit-code.ts';
import {printFaults} from '../faults.ts';
import {findWanted, withUpstream} from '../find-instance.ts';
import {machineFor} from '../machine.ts';
import type {RunnableOptions} from '../pipeline-options.ts';
import {jobsFor} from '../pool-setting.ts';
import {withPrepared} from '../prepare.ts';

interface PlanOptions extends RunnableOptions {
  readonly all?: true;
  readonly graph?: 'mermaid';
}

export const planCommand = (file: string, options: PlanOptions): Promise<number> =>
  withPrepared(
    file,
    options,
    'look',
    (graph) => findWanted(graph, options.target),
    async ({graph, plan, store}, targets) => {
      const wanted = withUpstream(graph, targets);
      const jobs = jobsFor({graph, plan}, wanted, options.jobs);
      const machine = machineFor({graph, plan}, wanted, options.resources, jobs);
      if (!machine.ok) {
        printFaults(machine.error, options.json ?? false);
        return EXIT.wrong;
      }
      const time = predictTime(graph, plan, store, jobs, wanted);
      const shown = narrowed(graph, wanted);
      const {notes, warnings} = await foresee(graph, plan.instances, wanted);
      const foretold = {notes, warnings: [...undeclaredFiles(shown, plannedOf(shown, plan)), ...warnings]};
      process.stdout.write(`${planShown(shown, plan, time, foretold, options)}\n`);
      if (!options.json)
        for (const warning of foretold.warnings) process.stderr.write(`\nwarning ${formatDiagnostic(warning)}\n`);
      return EXIT.done;
    },
  );

function planShown(
  graph: Graph,
  plan: Plan,
  time: PredictedTime,
  foretold: Foretold,
  {json, all, graph: format}: PlanOptions,
): string {
  if (json) return JSON.stringify(planJson(graph, plan, time, foretold));
  return format === 'mermaid'
    ? mermaid(graph, plan)
    : planText(graph, plan, {time, notes: foretold.notes, everyInstance: all ?? false});
}

const planJson = (graph: Graph, plan: Plan, time: PredictedTime, {notes, warnings}: Foretold) => ({
  instances: plannedOf(graph, plan).map(({instance: {id, node, axes, index}, verdict, reason}) => ({
    id,
    node,
    axes,
    verdict,
    reason: reasonText(reason),
    seconds: time.instances[index] ?? null,
    ...(notes.has(index) && {note: notes.get(index)}),
  })),
  seconds: time.unknown === 0 ? time.total : null,
  warnings: warnings.map(diagnosticJson),
});
