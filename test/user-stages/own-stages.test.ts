import {spawnSync} from 'node:child_process';
import {cp, mkdir, readFile, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, environment, jsonLines, scratchFolder} from '../cli/basin.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** The recipe's files as they are written, in a folder outside of the package. */
async function recipe(): Promise<string> {
  const page = await readFile(join(ROOT, 'docs', 'recipes.md'), 'utf8');
  const section = /^## Adding your own stage\n(.*?)^## /ms.exec(page)?.[1] ?? '';
  const [stage = '', helper = '', pipeline = ''] = [...section.matchAll(/^```(?:ts|yaml)\n(.*?)^```/gms)].map(
    ([, text]) => text,
  );
  const folder = await scratchFolder();
  await writeFile(join(folder, 'weight-norm.ts'), stage);
  await writeFile(join(folder, 'power-sum.ts'), helper);
  await writeFile(join(folder, 'study.yaml'), pipeline);
  return folder;
}

async function ran(cwd: string, cache?: string): Promise<unknown> {
  const {code, stdout, stderr} = await basin(['run', 'study.yaml', '--json'], {cwd, ...(cache && {cache})});
  expect(code, stdout + stderr).toBe(0);
  const ends = jsonLines(stdout).flatMap((line) =>
    typeof line === 'object' && line !== null && 'id' in line && 'outcome' in line && line.outcome === 'ran'
      ? [line.id]
      : [],
  );
  return ends.sort();
}

test("the recipe's stage runs as it is written, and again only when its code changes", async () => {
  const cwd = await recipe();
  expect(await ran(cwd)).toEqual(['body', 'norm[p=1]', 'norm[p=2]']);
  const shown = await basin(['show', 'study.yaml', 'norm.summary', '--format', 'json'], {cwd});
  expect(JSON.parse(shown.stdout)).toMatchObject([
    {p: 1, weights: 23},
    {p: 2, weights: 23},
  ]);

  const elsewhere = join(cwd, 'elsewhere');
  await mkdir(elsewhere);
  for (const name of ['weight-norm.ts', 'power-sum.ts', 'study.yaml']) await cp(join(cwd, name), join(elsewhere, name));
  expect(await ran(elsewhere, join(cwd, 'cache'))).toEqual([]);

  const helper = join(cwd, 'power-sum.ts');
  await writeFile(helper, (await readFile(helper, 'utf8')).replace('let sum = 0', 'let sum = 1'));
  const planned = await basin(['plan', 'study.yaml', '--json'], {cwd});
  expect(JSON.parse(planned.stdout)).toMatchObject({
    instances: [
      {id: 'body', verdict: 'cached'},
      {id: 'norm[p=1]', verdict: 'run', reason: 'its code changed'},
      {id: 'norm[p=2]', verdict: 'run', reason: 'its code changed'},
    ],
  });
  expect(await ran(cwd)).toEqual(['norm[p=1]', 'norm[p=2]']);
});

test('pipelines run from a program that imports the package', async () => {
  const cwd = await recipe();
  await mkdir(join(cwd, 'node_modules'));
  await symlink(ROOT, join(cwd, 'node_modules', 'lossbasin'));
  await writeFile(
    join(cwd, 'study.yaml'),
    (await readFile(join(cwd, 'study.yaml'), 'utf8')).replace('sweep: {p: [1, 2]}', 'with: {p: 2}'),
  );
  await writeFile(
    join(cwd, 'program.ts'),
    `import {explain, PipelineError, plan, run, table} from 'lossbasin';
const events: string[] = [];
const before = await plan('study.yaml');
const {ran, failed} = await run('study.yaml', {onEvent: ({event}) => void events.push(event)});
const rows = await table('study.yaml', 'norm.summary');
const {verdict} = await explain('study.yaml', 'norm');
const wrong = await table('study.yaml', 'nrm.summary').catch((error: unknown) => error);
console.log(JSON.stringify({
  before: before.map(({verdict}) => verdict), ran, failed, rows, verdict, last: events.at(-1),
  wrong: wrong instanceof PipelineError && wrong.faults[0]?.hint,
}));
`,
  );
  const {stdout, stderr} = spawnSync(join(ROOT, 'bin', 'basin-node'), ['program.ts'], {
    cwd,
    env: environment(join(cwd, 'cache')),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    before: ['run', 'run'],
    ran: 2,
    failed: 0,
    rows: [{weights: 23, norm: expect.any(Number)}],
    verdict: 'cached',
    last: 'run-finished',
    wrong: 'Did you mean "norm"?',
  });
});

test('a stage that changes while the pipeline runs fails, and its result is not stored under the old key', async () => {
  const cwd = await recipe();
  const helper = join(cwd, 'power-sum.ts');
  await writeFile(
    join(cwd, 'study.yaml'),
    `
stages:
  edit: {run: [sh, -c, 'echo "// edited" >>"$0"; echo "[]" >"$1"', "${helper}", "\${out.w}"], out: {w: {kind: evals}}}
  body: {uses: pretrain-load, with: {source: random, seed: 0, model: {model: mlp, image_size: 2, num_channels: 1, hidden: [3], labels: 2}}}
  norm: {uses: ./late.ts, in: {weights: body.weights, after: edit.w}}
`,
  );
  const stage = await readFile(join(cwd, 'weight-norm.ts'), 'utf8');
  const after = "inputs: {after: {kind: 'evals', doc: 'Is waited for.'}, ";
  await writeFile(join(cwd, 'late.ts'), stage.replace('inputs: {', after));
  const {code, stderr, stdout} = await basin(['run', 'study.yaml'], {cwd});
  expect(code, stdout + stderr).toBe(1);
  expect(stdout + stderr).toContain('late.ts, or what it imports, changed while the pipeline ran.');
  const again = await basin(['plan', 'study.yaml', '--json'], {cwd});
  expect(JSON.parse(again.stdout)).toMatchObject({
    instances: [{id: 'edit', verdict: 'cached'}, {id: 'body'}, {id: 'norm', verdict: 'run'}],
  });
});

test('a new stage runs as it is written', async () => {
  const cwd = await recipe();
  expect(await basin(['new', 'stage', 'large-weights'], {cwd})).toMatchObject({code: 0});
  const study = join(cwd, 'study.yaml');
  const text = await readFile(study, 'utf8');
  await writeFile(
    study,
    text.replace('./weight-norm.ts', './large-weights.ts').replace('sweep: {p: [1, 2]}', 'with: {threshold: 0.2}'),
  );
  // What is nearest may be about something else than these files.
  await writeFile(join(cwd, 'package.json'), '{"name": "lab", "type": "commonjs"}');
  expect(await basin(['plan', 'study.yaml'], {cwd})).toMatchObject({code: 0, stderr: ''});
  expect(await ran(cwd)).toEqual(['body', 'norm']);
  const twice = await basin(['new', 'stage', 'large-weights'], {cwd});
  expect(twice).toMatchObject({code: 1, stderr: expect.stringContaining('there is such a file already')});
});
