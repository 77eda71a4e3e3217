import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {plan} from '../../src/index.ts';
import {basin, jsonLines, scratchFolder} from './basin.ts';

const TEXT = `params: {word: hello}
stages:
  made: {run: [sh, -c, 'printf "%s" "$0 $1" >"$2"', "\${word}", "\${n}", "\${out.text}"], out: {text: file}, sweep: {n: [1, 2, 3]}}
  read: {run: [cat, "\${in.text}"], in: {text: made.text}}
  apart: {run: [echo, apart]}
`;

interface Planned {
  readonly instances: readonly {readonly id: string; readonly verdict: string; readonly seconds: number | null}[];
  readonly seconds: number | null;
}

test('plan --target says what run --target does, no more and no less', {timeout: 60_000}, async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), TEXT);
  const planned = async (...args: string[]): Promise<Planned> => {
    const told = await basin(['plan', 'p.yaml', ...args, '--json'], {cwd});
    expect(told.code, told.stderr).toBe(0);
    return JSON.parse(told.stdout);
  };
  const target = ['--target', 'read[n=2]', '--target', 'apart'];
  const before = await planned(...target);
  expect(before.instances.map(({id}) => id).sort()).toEqual(['apart', 'made[n=2]', 'read[n=2]']);
  const run = await basin(['run', 'p.yaml', ...target, '--json'], {cwd});
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({ran: 3, cached: 0, skipped: 0});
  const after = await planned(...target);
  expect(after.instances.map(({verdict}) => verdict)).toEqual(['cached', 'cached', 'cached']);
  expect(after.seconds).toBe(0);
  expect((await planned()).instances).toHaveLength(7);

  const text = await basin(['plan', 'p.yaml', ...target], {cwd});
  expect(text.stdout).toBe(
    'made   1 cached  (n ×1)\nread   1 cached  (n ×1)\napart  1 cached\n\n3 instances: 3 cached\n',
  );
  const drawn = await basin(['plan', 'p.yaml', '--target', 'apart', '--graph', 'mermaid'], {cwd});
  expect(drawn.stdout).not.toContain('made');
  expect(
    (await plan(join(cwd, 'p.yaml'), {cache: join(cwd, 'cache'), targets: ['made[n=3]']})).map(({id}) => id),
  ).toEqual(['made[n=3]']);

  const wrong = await basin(['plan', 'p.yaml', '--target', 'raed'], {cwd});
  expect(wrong).toMatchObject({code: 2, stdout: ''});
  expect(wrong.stderr).toContain('Did you mean "read"?');
});

test('plan --jobs predicts the time with so many side by side', {timeout: 60_000}, async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), TEXT);
  expect((await basin(['run', 'p.yaml', '--target', 'made'], {cwd})).code).toBe(0);
  const again = async (jobs: string): Promise<Planned> =>
    JSON.parse(
      (await basin(['plan', 'p.yaml', '--target', 'made', '--set', 'word=bye', '--jobs', jobs, '--json'], {cwd}))
        .stdout,
    );
  const [one, three] = [await again('1'), await again('3')];
  const seconds = one.instances.map((instance) => instance.seconds ?? Number.NaN);
  expect(seconds).toHaveLength(3);
  expect(one.seconds).toBeCloseTo(
    seconds.reduce((sum, each) => sum + each, 0),
    9,
  );
  expect(three.seconds).toBeCloseTo(Math.max(...seconds), 9);
});
