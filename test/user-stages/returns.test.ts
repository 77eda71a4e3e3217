import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';

const failed = z.object({id: z.string(), failure: z.object({message: z.string(), hint: z.string()})});
const told = (stdout: string): object =>
  Object.fromEntries(
    jsonLines(stdout).flatMap((line) => {
      const {data} = failed.safeParse(line);
      return data ? [[data.id, `${data.failure.message}\n${data.failure.hint}`]] : [];
    }),
  );

const stage = (name: string, body: string): string => `import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: '${name}', doc: 'Mine.', params: z.strictObject({n: z.number().default(0)}), inputs: {}, computes: 'plain',
  outputs: {table: {kind: 'summary', doc: 'A value.', columns: {value: 'float64'}}, text: {kind: 'file', doc: 'Text.'}},
  run: async () => ${body},
});
`;

const RETURN = 'Have its "run" return {table: [{…}, …]}.';

test('a stage that returns nothing, or not what it declares, is told what to return', async () => {
  const cwd = await scratchFolder();
  const bodies = {
    nothing: 'undefined',
    none: 'null',
    lacks: '({})',
    'gives-null': '({table: null})',
    'gives-text': "({table: 'text'})",
    'lacks-the-second': '({table: [{value: 1}]})',
  };
  for (const [name, body] of Object.entries(bodies)) await writeFile(join(cwd, `${name}.ts`), stage(name, body));
  const nodes = Object.keys(bodies).map((name) => `  ${name}: {uses: ./${name}.ts}`);
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${nodes.join('\n')}\n`);
  const run = await basin(['run', 'p.yaml', '--json', '--keep-going'], {cwd});
  expect(told(run.stdout)).toEqual({
    nothing: `The stage "nothing" returned nothing, and no outputs.\n${RETURN}`,
    none: `The stage "none" returned null, and no outputs.\n${RETURN}`,
    lacks: `The stage "lacks" gave no "table".\n${RETURN}`,
    'gives-null': `The stage "gives-null" gave null as its output "table".\n${RETURN}`,
    'gives-text': `The stage "gives-text" gave a string as its output "table".\n${RETURN}`,
    'lacks-the-second': `The stage "lacks-the-second" gave no "text".\n${RETURN.replace('table: [{…}, …]', 'text: {path: …}')}`,
  });
});
