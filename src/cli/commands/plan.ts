import {diagnosticJson, formatDiagnostic} from '../../base/diagnostic.ts';
import {ok} from '../../base/result.ts';
import type {Graph} from '../../graph/graph.ts';
import {type Foretold, foresee} from '../../plan/foresee.ts';
import {type PredictedTime, predictTime} from '../../plan/predict-time.ts';
import {reasonText} from '../../plan/reason-text.ts';
import {undeclaredFiles} from '../../plan/undeclared-files.ts';
import type {Plan} from '../../plan/verdict.ts';
import {mermaid} from '../../results/mermaid.ts';
import {planText} from '../../results/plan-text.ts';
import {EXIT} from '../exit-code.ts';
import {printFaults} from '../faults.ts';
import {machineFor} from '../machine.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {defaultJobs} from '../pool-setting.ts';
import {withPrepared} from '../prepare.ts';

interface PlanOptions extends PipelineOptions {
  readonly all?: true;
  readonly graph?: 'mermaid';
}

export const planCommand = (file: string, options: PlanOptions): Promise<number> =>
  withPrepared(file, options, 'look', ok, async ({graph, plan, store}) => {
    const machine = machineFor({graph, plan}, new Set(graph.instances.keys()), options.resources);
    if (!machine.ok) {
      printFaults(machine.error, options.json ?? false);
      return EXIT.wrong;
    }
    const time = predictTime(graph, plan, store, defaultJobs());
    const {notes, warnings} = await foresee(graph, plan.instances);
    const foretold = {notes, warnings: [...undeclaredFiles(graph, plan.instances), ...warnings]};
    process.stdout.write(`${planShown(graph, plan, time, foretold, options)}\n`);
    if (!options.json)
      for (const warning of foretold.warnings) process.stderr.write(`\nwarning ${formatDiagnostic(warning)}\n`);
    return EXIT.done;
  });

function planShown(
  graph: Graph,
  plan: Plan,
  time: PredictedTime,
  foretold: Foretold,
  {json, all, graph: format}: PlanOptions,
): string {
  if (json) return JSON.stringify(planJson(plan, time, foretold));
  return format === 'mermaid'
    ? mermaid(graph, plan)
    : planText(graph, plan, {time, notes: foretold.notes, everyInstance: all ?? false});
}

const planJson = (plan: Plan, time: PredictedTime, {notes, warnings}: Foretold) => ({
  instances: plan.instances.map(({instance: {id, node, axes, index}, verdict, reason}) => ({
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
