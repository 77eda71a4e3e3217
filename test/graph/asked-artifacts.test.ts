import {expect, test} from 'vitest';
import {z} from 'zod';
import {defineStage} from '../../src/stage/define-stage.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {faultsOf} from '../rig/read-text.ts';

test('an artifact that a stage gives only when asked says how to ask', () => {
  const asked = defineStage({
    name: 'asked',
    version: 1,
    doc: 'Gives a table when asked.',
    params: z.strictObject({rows: z.boolean().default(false).describe('Gives `table`.')}),
    inputs: {},
    outputs: {table: {kind: 'summary', when: 'rows', doc: 'The table.', columns: {value: 'int32'}}},
    computes: 'plain',
    async run() {
      return {table: [{value: 1}]};
    },
  });
  const stages = new Map([...countingStages, ['asked', asked]]);
  const text = (given: string) =>
    `stages:\n  n: {uses: asked, with: {rows: ${given}}}\nexpect: [{of: n.table, that: "value == 1"}]\n`;
  expect(faultsOf(text('false'), {}, stages)).toBe(
    `p.yaml:3:15 unknown-artifact
The node "n" has no artifact "table".
  expect: [{of: n.table, that: "value == 1"}]
                ^^^^^^^
Ask for it: with: {rows: true}.`,
  );
  expect(faultsOf(text('true'), {}, stages)).toBe('');
});
