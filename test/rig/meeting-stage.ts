import {appendFileSync, readFileSync} from 'node:fs';
import {z} from 'zod';
import {defineStage} from '../../src/stage/define-stage.ts';

/** Lines of the file that all workers of a rig write to. */
const lines = (): readonly string[] => readFileSync(process.env.BASIN_COUNT_FILE ?? '', 'utf8').split('\n');

/** Needs BASIN_COUNT_FILE. */
export const meeting = defineStage({
  name: 'meeting',
  version: 1,
  doc: 'Waits until so many of its kind have begun, so that it ends only where they run side by side, and says where it ran.',
  params: z.strictObject({
    who: z.number().describe('Tells several apart.'),
    together: z.int().min(1).default(1).describe('How many must have begun, this one counted.'),
  }),
  inputs: {a: {kind: 'summary', doc: 'Something to come after.', optional: true}},
  outputs: {
    summary: {
      kind: 'summary',
      doc: 'What its worker was given.',
      columns: {gpus: 'utf8', threads: 'int32', pid: 'int32'},
    },
  },
  computes: 'plain',
  async run({params: {who, together}, services}) {
    const file = process.env.BASIN_COUNT_FILE ?? '';
    appendFileSync(file, `begin ${who}\n`);
    while (lines().filter((line) => line.startsWith('begin')).length < together) {
      services.signal.throwIfAborted();
      await new Promise((resolve) => setImmediate(resolve));
    }
    appendFileSync(file, `end ${who}\n`);
    const gpus = process.env.CUDA_VISIBLE_DEVICES ?? 'as they are';
    return {summary: [{gpus, threads: Number(process.argv.at(-1)), pid: process.pid}]};
  },
});
