import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {expect} from 'vitest';
import {basin} from '../cli/basin.ts';

/** A stage that gives one number, worked out as `value` says. */
export const stage = (top: string, value: string): string => `${top}
import {defineStage, z} from 'lossbasin';
export default defineStage({
  name: 'mine', doc: 'Mine.', params: z.strictObject({}), inputs: {}, computes: 'plain',
  outputs: {summary: {kind: 'summary', doc: 'A value.', columns: {value: 'float64'}}},
  run: async () => ({summary: [{value: ${value}}]}),
});
`;

export const manifest = (name: string, version: string, more: object = {}): string =>
  JSON.stringify({name, version, type: 'module', main: 'index.js', ...more});

/** Writes files below a folder, by their paths in it. */
export async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), {recursive: true});
    await writeFile(join(folder, name), text);
  }
}

/** The instances of `p.yaml` in a folder that are not cached. */
export async function running(cwd: string, cache = join(cwd, 'cache'), file = 'p.yaml'): Promise<readonly string[]> {
  const {code, stdout, stderr} = await basin(['plan', file, '--json'], {cwd, cache});
  expect(code, stdout + stderr).toBe(0);
  const {instances}: {instances: readonly {id: string; verdict: string}[]} = JSON.parse(stdout);
  return instances.flatMap(({id, verdict}) => (verdict === 'cached' ? [] : [id]));
}
