import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';

const LINES = 300_000;
/** A worker of programs has some 100 MiB at least, and had over 400 when it held all that waited to be taken. */
const MOST_MIB = 300;

test('a program that writes faster than its lines are taken waits: its worker stays small, and no line is lost', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), `stages: {many: {run: [seq, "1", "${LINES}"]}}`);
  const {code, stdout} = await basin(['run', 'p.yaml', '--json'], {cwd});
  expect(code).toBe(0);
  const finished = /^\{"event":"instance-finished".*$/m.exec(stdout)?.[0] ?? '';
  expect(JSON.parse(finished)).toMatchObject({peakMemory: expect.toSatisfy((mib: number) => mib < MOST_MIB)});
  await basin(['show', 'p.yaml', 'many.log', '--output', 'log.txt'], {cwd});
  const lines = (await readFile(join(cwd, 'log.txt'), 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(LINES);
  expect(lines.at(-1)).toBe(String(LINES));
});
