import {readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {afterAll, beforeAll, expect, onTestFinished, test} from 'vitest';
import {z} from 'zod';
import {BASIN, basin, scratchFolder} from './basin.ts';
import {studyFolder} from './run-study.ts';
import {ON_BACKEND, STUDY} from './study.ts';

const PLOTS = `plots:
  - name: line
    title: "From A to B at \${alphas[1]}"
    data: {from: interpolate.points}
    mark: point
    encoding:
      x: {field: alpha, type: quantitative}
      y: {field: error, type: quantitative}
      color: {field: split, type: nominal}
  - name: two-tables
    encoding: {x: {field: split, type: nominal}}
    layer:
      - {data: {from: interpolate.points}, mark: point, encoding: {y: {field: loss, type: quantitative}}}
      - {data: {from: barrier.summary}, mark: rule, encoding: {y: {field: loss_a, type: quantitative}}}
`;

let folder: string;

// The study has run before it has plots: a plot is in no key.
beforeAll(async () => {
  ({folder} = await studyFolder());
  await writeFile(join(folder, 'plots.yaml'), STUDY + PLOTS);
});
afterAll(() => rm(folder, {recursive: true, force: true}));

const show = (...args: string[]) => basin(['show', 'plots.yaml', ...ON_BACKEND, ...args], {cwd: folder});

test('a run names the command for each plot, and runs nothing for them', async () => {
  const {code, stdout} = await basin(['run', 'plots.yaml', ...ON_BACKEND], {cwd: folder});
  expect(code).toBe(0);
  expect(stdout).toContain('ran 0, cached 15');
  expect(stdout.split('\n').slice(-4)).toEqual([
    'Plots, as SVG:',
    `  ${BASIN} show plots.yaml plots.line --output line.svg ${ON_BACKEND.join(' ')}`,
    `  ${BASIN} show plots.yaml plots.two-tables --output two-tables.svg ${ON_BACKEND.join(' ')}`,
    '',
  ]);
  const part = await basin(['run', 'plots.yaml', '--target', 'finetune-A', ...ON_BACKEND], {cwd: folder});
  expect(part.stdout).not.toContain('Plots');
});

const pointSchema = z.object({alpha: z.number(), split: z.string(), error: z.number()});

test('the picture has a mark for each row of the gathered table, and the same bytes every time', async () => {
  const first = await show('plots.line');
  expect(first).toMatchObject({code: 0, stderr: ''});
  const {stdout} = await show('interpolate.points', '--format', 'json');
  const rows = z.array(pointSchema).parse(JSON.parse(stdout));
  expect(rows).toHaveLength(6);
  const labels = [...first.stdout.matchAll(/aria-label="(alpha: [^"]*)"/g)].map(([, label]) => label);
  expect(labels.toSorted()).toEqual(
    rows.map(({alpha, error, split}) => `alpha: ${alpha}; error: ${error}; split: ${split}`).toSorted(),
  );
  expect(first.stdout).toContain('From A to B at 0.5');
  expect(await show('plots.line', '--output', 'line.svg')).toEqual({code: 0, stdout: '', stderr: ''});
  expect(await readFile(join(folder, 'line.svg'), 'utf8')).toBe(first.stdout);
});

test('--format json is Vega-Lite with the rows in it', async () => {
  const {code, stdout} = await show('plots.two-tables', '--format', 'json');
  expect(code).toBe(0);
  const tables = await Promise.all(
    ['interpolate.points', 'barrier.summary'].map(async (name) => [
      name,
      JSON.parse((await show(name, '--format', 'json')).stdout),
    ]),
  );
  expect((await show('plots.two-tables', '--output', 'two.json')).code).toBe(0);
  expect(await readFile(join(folder, 'two.json'), 'utf8')).toBe(stdout);
  expect(JSON.parse(stdout)).toMatchObject({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    name: 'two-tables',
    layer: [{data: {name: 'interpolate.points'}}, {data: {name: 'barrier.summary'}}],
    datasets: Object.fromEntries(tables),
  });
});

test('what has not run says so, as for a table', async () => {
  expect(await show('plots.line', '--set', 'data.limit.test=99')).toEqual({
    code: 1,
    stdout: '',
    stderr: `not-stored: interpolate[alpha=0] has not run as the pipeline is now.\nRun it first: ${BASIN} run plots.yaml --set data.limit.test=99 ${ON_BACKEND.join(' ')}\n`,
  });
});

test('a name or a format that there is not', async () => {
  const wrong = async (...args: string[]) => {
    const {code, stdout, stderr} = await show(...args);
    expect({code, stdout}).toEqual({code: 2, stdout: ''});
    return stderr;
  };
  expect(await wrong('plots.lien')).toBe(
    'wrong-command: There is no plot "lien" in plots.yaml.\nDid you mean "line"?\n',
  );
  expect(await wrong('plots')).toBe('wrong-command: "plots" names no plot.\nThey are: plots.line, plots.two-tables.\n');
  expect(await wrong('plots.line', '--format', 'csv')).toBe(
    `wrong-command: A plot is shown as svg or json, not as csv.\nChoose svg or json. The rows that it draws:\n  ${BASIN} show plots.yaml interpolate.points --format csv ${ON_BACKEND.join(' ')}\n`,
  );
  expect(await wrong('plots.line', '--output', 'line.png')).toBe(
    'wrong-command: A plot is drawn as SVG.\nGive --output line.svg\n',
  );
  expect(await wrong('plots.line', '--output', "it's.html")).toBe(
    "wrong-command: A plot is drawn as SVG.\nGive --output 'it'\\''s.svg'\n",
  );
  expect(await wrong('plots.line', '--output', 'line.csv')).toContain('A plot is shown as svg or json, not as csv.\n');
  expect(await wrong('barrier.summary', '--format', 'svg')).toBe(
    'wrong-command: barrier.summary is no plot, which is what can be drawn.\nWrite plots.NAME, of "plots" in the file.\n',
  );
});

test('Vega is loaded for a pipeline with plots, and for no other', async () => {
  const hook = pathToFileURL(join(import.meta.dirname, '..', 'rig', 'refuse-vega.mjs'));
  const place = {cwd: folder, env: {NODE_OPTIONS: `--import=${hook}`}};
  for (const command of ['plan', 'run']) {
    const without = await basin([command, 'study.yaml', ...ON_BACKEND], place);
    expect(without).toMatchObject({code: 0, stderr: ''});
    const {code, stderr} = await basin([command, 'plots.yaml', ...ON_BACKEND], place);
    expect(code).not.toBe(0);
    expect(stderr).toContain('Vega is loaded by');
  }
});

const PICTURES = (url: string) => `stages:
  n:
    uses: pretrain-load
    sweep:
      include:
        - {source: random, model: {model: mlp, hidden: [4]}}
        - {source: upstream, labels: 3}
plots:
  - {name: points, data: {from: n.summary}, mark: point, encoding: {x: {field: source}, y: {field: parameters}}}
  - {name: image, data: {from: n.summary}, mark: {type: image, width: 9}, encoding: {url: {value: "${url}/x.png"}}}
  - {name: link, data: {from: n.summary}, mark: point, encoding: {href: {value: "${url}/x.html"}}}
  - {name: script, data: {from: n.summary}, mark: point, encoding: {href: {value: "javascript:alert(1)"}}}
  - {name: dropped, data: {from: n.summary}, mark: bar, encoding: {x: {field: source}, shape: {field: source}}}
  - {name: unknown-function, data: {from: n.summary}, transform: [{calculate: "sum_of(1)", as: a}], mark: point}
`;

test('a point that failed is missing, and nothing is fetched', {timeout: 60_000}, async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const url = `http://127.0.0.1:${address.port}`;
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PICTURES(url));
  const before = await basin(['show', 'p.yaml', 'plots.points'], {cwd});
  expect(before).toMatchObject({code: 1, stdout: ''});
  expect(before.stderr).toContain('not-stored: n[source=random] has not run');
  expect((await basin(['run', 'p.yaml', '--keep-going', '--quiet'], {cwd})).code).toBe(1);

  const points = await basin(['show', 'p.yaml', 'plots.points', '--format', 'json'], {cwd});
  expect(points.code).toBe(0);
  expect(JSON.parse(points.stdout).datasets).toEqual({
    'n.summary': [expect.objectContaining({source: 'random', parameters: expect.any(Number)})],
  });
  const link = await basin(['show', 'p.yaml', 'plots.link'], {cwd});
  expect(link).toMatchObject({code: 0, stderr: ''});
  expect(link.stdout).toContain(`href="${url}/x.html"`);
  const dropped = await basin(['show', 'p.yaml', 'plots.dropped'], {cwd});
  expect(dropped.code).toBe(0);
  expect(dropped.stderr).toBe('dropped: shape dropped as it is incompatible with "bar".\n');
  const refused = async (name: string) => {
    const {code, stdout, stderr} = await basin(['show', 'p.yaml', name], {cwd});
    expect({code, stdout}).toEqual({code: 1, stdout: ''});
    return stderr.split('\n')[0];
  };
  expect(await refused('plots.image')).toBe(
    `bad-plot: The plot "image" cannot be drawn: It asks for "${url}/x.png", and nothing is fetched for a plot.`,
  );
  expect(await refused('plots.script')).toBe(
    'bad-plot: The plot "script" cannot be drawn: It asks for "javascript:alert(1)", and nothing is fetched for a plot.',
  );
  expect(await refused('plots.unknown-function')).toBe(
    'bad-plot: The plot "unknown-function" cannot be drawn: Unrecognized function: sum_of',
  );
  expect(asked).toBe(0);
});

test('a plot of a file that is used has its nodes planned', async () => {
  const cwd = await scratchFolder();
  const start = '{uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: [4]}}}';
  await writeFile(
    join(cwd, 'base.yaml'),
    `stages: {start: ${start}, other: ${start}}\nplots: [{name: own, data: {from: start.summary}, mark: point}]\n`,
  );
  await writeFile(
    join(cwd, 'p.yaml'),
    `use: ./base.yaml\nstages: {own: ${start}}\nplots: [{name: of-base, data: {from: base.start.summary}, mark: point, encoding: {x: {field: parameters}}}]\n`,
  );
  const {code, stdout} = await basin(['plan', 'p.yaml', '--json'], {cwd});
  expect(code).toBe(0);
  const {instances} = z.object({instances: z.array(z.object({id: z.string()}))}).parse(JSON.parse(stdout));
  expect(instances.map(({id}) => id).toSorted()).toEqual(['base.start', 'own']);
});
