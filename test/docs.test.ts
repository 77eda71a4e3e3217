import {spawnSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {registry} from '../src/cli/registry.ts';
import {stageParameters} from '../src/spec/stage-parameters.ts';
import {builtInDataSetSchema, userDataSetSchema} from '../stages/lib/data/data-set-value.ts';
import {mlpConfigSchema} from '../stages/lib/models/mlp.ts';
import {resnetConfigSchema} from '../stages/lib/models/resnet-config.ts';
import {vitConfigSchema} from '../stages/lib/models/vit-config.ts';
import {environment, makeFolder, STACK} from './cli/basin.ts';
import {named, PAGES, ROOT, read, sections} from './pages.ts';

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

/** The text under a heading of the pages under a path. */
function section(name: string, under = 'docs/stages'): string {
  const [found] = sections(under, name);
  if (found === undefined) throw new Error(`No page under ${under} has a section "${name}".`);
  return found;
}

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

test('the pages name every field of a data set and of the models', () => {
  const fields = (schemas: readonly {readonly shape: object}[]): readonly string[] =>
    schemas.flatMap(({shape}) => Object.keys(shape)).filter((name) => name !== 'model');
  const data = named(section('Data sets'));
  expect(fields([...builtInDataSetSchema.options, userDataSetSchema]).filter((name) => !data.has(name))).toEqual([]);
  const models = {vit: [vitConfigSchema], mlp: [mlpConfigSchema], resnet: resnetConfigSchema.options};
  for (const [model, schemas] of Object.entries(models)) {
    const described = named(section(model, 'docs/science'));
    expect(fields(schemas).filter((name) => !described.has(name))).toEqual([]);
  }
});
