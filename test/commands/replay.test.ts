import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';

const PIPELINE = `stages:
  make: {run: [sh, -c, 'echo making; cat "$0" | tr a-z A-Z >"$1"', in.txt, "\${out.text}"], files: [in.txt], out: {text: file}}
  read: {run: [sh, -c, 'echo reading; cat "$0"', "\${in.text}"], in: {text: make.text}}
`;

test('with --verbose a run tells what programs wrote when their results were made; else it tells nothing', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  await writeFile(join(cwd, 'in.txt'), 'one\n');
  const run = async (...args: string[]): Promise<string> => {
    const told = await basin(['run', 'p.yaml', ...args], {cwd});
    expect(told.code, told.stdout + told.stderr).toBe(0);
    return told.stdout;
  };
  const logOf = (stdout: string): readonly string[] => stdout.split('\n').filter((line) => line.startsWith('  │ '));
  const [made, read] = ['  │ make: making', ['  │ read: reading', '  │ read: ONE']] as const;

  expect(logOf(await run('--verbose'))).toEqual([made, ...read]);
  const cached = await run('--verbose');
  expect(logOf(cached)).toEqual([made, ...read]);
  expect(cached).toMatch(/ran 0, cached 2 in [^\n]*\n$/);
  expect(logOf(await run())).toEqual([]);
  expect(await run('--json')).not.toContain('"event":"log"');
  const json = jsonLines(await run('--json', '--verbose'));
  expect(json).toContainEqual({event: 'log', id: 'read', line: 'ONE'});
  expect(json.at(-1)).toMatchObject({event: 'run-finished', cached: 2});

  // Another input of equal meaning runs the first and cuts off the second, whose log is told all the same.
  await writeFile(join(cwd, 'in.txt'), 'ONE\n');
  const cutOff = await run('--verbose');
  expect(cutOff).toContain('cut off 1');
  expect(logOf(cutOff)).toEqual([made, ...read]);

  // What is told again is no event of that run.
  const runs = (await readdir(join(cwd, 'cache', 'runs'))).sort();
  expect(await readFile(join(cwd, 'cache', 'runs', runs[1] ?? ''), 'utf8')).not.toContain('"event":"log"');
});
