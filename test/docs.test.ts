import {spawnSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {registry} from '../src/cli/registry.ts';
import {stageParameters} from '../src/spec/stage-parameters.ts';
import {builtInDataSetSchema, userDataSetSchema} from '../stages/lib/data/data-set-value.ts';
import {mlpConfigSchema} from '../stages/lib/models/mlp.ts';
import {resnetConfigSchema} from '../stages/lib/models/resnet-config.ts';
import {vitConfigSchema} from '../stages/lib/models/vit-config.ts';
import {environment, makeFolder, STACK} from './cli/basin.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs'), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The commands of a page: lines of its `sh` fences, without the remark behind two spaces and a #. */
const commandsIn = (page: string): readonly string[] =>
  [...read(page).matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, body = '']) =>
    body.split('\n').flatMap((line) => {
      const command = line.replace(/\s+# .*$/, '').trim();
      return command === '' ? [] : [command];
    }),
  );

const commands = PAGES.flatMap((page) => commandsIn(page).map((command) => ({page, command})));
const ofBasin = commands.filter(({command}) => command.startsWith('bin/basin '));

/** As it is written, but for those that compute or download: `run` is planned, `setup` asked what it takes. */
const harmless = (command: string): string =>
  command.replace(/^bin\/basin run /, 'bin/basin plan ').replace(/^bin\/basin setup.*/, 'bin/basin setup --help');

test.for(ofBasin)('$page: $command', async ({command}) => {
  const cache = await makeFolder();
  onTestFinished(() => import('node:fs/promises').then(({rm}) => rm(cache, {recursive: true, force: true})));
  const {status, stdout, stderr} = spawnSync('sh', ['-c', harmless(command)], {
    cwd: ROOT,
    env: environment(join(cache, 'empty')),
    encoding: 'utf8',
  });
  // show of what has not run, and a doctor that finds something missing, end with 1
  const allowed = /^bin\/basin (show|doctor)\b/.test(command) ? [0, 1] : [0];
  expect(allowed, stdout + stderr).toContain(status);
  expect(stdout + stderr).not.toMatch(STACK);
});

test('the commands of the docs were found', () => {
  expect(ofBasin.length).toBeGreaterThan(5);
});

test('every npm command names a script', () => {
  const {scripts}: {scripts: Record<string, string>} = JSON.parse(read('package.json'));
  const named = commands.flatMap(({command}) => /^npm (?:run )?(\S+)/.exec(command)?.[1] ?? []);
  expect(named.length).toBeGreaterThan(2);
  for (const name of named) expect(Object.keys(scripts)).toContain(name);
});

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test.for(PAGES)('%s: every link leads to a file, and to a heading of it', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  for (const link of links) {
    if (/^[a-z]+:/.test(link)) continue;
    const [file = '', heading] = link.split('#');
    const target = file === '' ? join(ROOT, page) : join(ROOT, dirname(page), file);
    expect(existsSync(target), `${page} links to ${link}`).toBe(true);
    if (heading === undefined) continue;
    const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => anchor(text));
    expect(headings, `${page} links to ${link}`).toContain(heading);
  }
});

/** The text under a second-level heading of the pages on stages. */
function section(name: string): string {
  const pattern = new RegExp(`^## ${name}\\n(.*?)(?=^## |$(?![\\s\\S]))`, 'ms');
  const [found] = PAGES.filter((page) => page.startsWith('docs/stages')).flatMap(
    (page) => pattern.exec(read(page))?.[1] ?? [],
  );
  if (found === undefined) throw new Error(`No page on stages has a section "${name}".`);
  return found;
}

const named = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name));

// In both directions: what a stage has is described, and a table describes nothing that a stage does not have.
test.for([...registry.values()])(
  'the pages on stages describe $name with every parameter, input, output and column',
  (stage) => {
    const names = named(section(stage.name));
    const wanted = [
      ...stageParameters(stage).byName.keys(),
      ...Object.keys(stage.inputs),
      ...Object.entries(stage.outputs).flatMap(([name, {columns}]) => [name, ...Object.keys(columns ?? {})]),
    ];
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
    const described = [...section(stage.name).matchAll(/^\| `([\w-]+)` \| /gm)].map(([, name = '']) => name);
    expect(described.filter((name) => !wanted.includes(name))).toEqual([]);
  },
);

test('docs/stages.md names every field of a data set and of the models', () => {
  const fields = (schemas: readonly {readonly shape: object}[]): readonly string[] =>
    schemas.flatMap(({shape}) => Object.keys(shape));
  const data = named(section('Data sets'));
  expect(fields([...builtInDataSetSchema.options, userDataSetSchema]).filter((name) => !data.has(name))).toEqual([]);
  const models = named(section('Models'));
  const wanted = fields([vitConfigSchema, mlpConfigSchema, ...resnetConfigSchema.options]).filter(
    (name) => name !== 'model',
  );
  expect(wanted.filter((name) => !models.has(name))).toEqual([]);
});
