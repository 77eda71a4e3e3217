import {reasonText} from '../../plan/reason-text.ts';
import type {Plan} from '../../plan/verdict.ts';
import {planText} from '../../results/plan-text.ts';
import {EXIT} from '../exit-code.ts';
import type {PipelineOptions} from '../pipeline-options.ts';
import {withPrepared} from '../prepare.ts';

export const planCommand = (file: string, options: PipelineOptions & {readonly all?: true}): Promise<number> =>
  withPrepared(file, options, 'look', async ({graph, plan}) => {
    const text = options.json ? JSON.stringify(planJson(plan)) : planText(graph, plan, options.all ?? false);
    process.stdout.write(`${text}\n`);
    return EXIT.done;
  });

const planJson = ({instances}: Plan) => ({
  instances: instances.map(({instance: {id, node, axes}, verdict, reason}) => ({
    id,
    node,
    axes,
    verdict,
    reason: reasonText(reason),
  })),
});
