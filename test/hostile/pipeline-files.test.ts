import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, truncateSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, STACK} from '../cli/basin.ts';
import {PLAIN} from '../cli/study.ts';
import {hostileFolder} from './refusal.ts';

const DEPTH = 20_000;
const WITH_PARAMS = PLAIN.replace('stages:', 'params: {labels: 3}\nstages:').replace(
  'labels: 3}}',
  `labels: "\${labels}"}}`,
);
const params = (text: string) => WITH_PARAMS.replace('{labels: 3}', text);

/** `basin plan` and `basin run` of one file; both must refuse it in the same words, and make no cache. */
async function toldOf(content: string | Uint8Array, ...args: string[]): Promise<string> {
  const cwd = hostileFolder();
  const file = args.length > 0 ? 'good.yaml' : 'p.yaml';
  writeFileSync(join(cwd, 'good.yaml'), WITH_PARAMS);
  writeFileSync(join(cwd, args.at(-1) ?? file), content);
  return bothIn(cwd, file, ...args);
}

async function bothIn(cwd: string, file: string, ...args: string[]): Promise<string> {
  const [plan, run] = await Promise.all([basin(['plan', file, ...args], {cwd}), basin(['run', file, ...args], {cwd})]);
  expect(run).toEqual(plan);
  expect(plan).toMatchObject({code: 2, stdout: ''});
  expect(plan.stderr).not.toMatch(STACK);
  expect(existsSync(join(cwd, 'cache'))).toBe(false);
  return plan.stderr;
}

test.each<readonly [what: string, content: string | Uint8Array, told: string]>([
  [
    'lists 20,000 deep',
    `expect: ${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}\n`,
    `p.yaml:1:109 too-deep
This is nested more than 100 levels deep.
  expect: ${'['.repeat(152)}
${' '.repeat(110)}^
Flatten it.
`,
  ],
  [
    'maps 20,000 deep',
    `expect: ${'{a: '.repeat(DEPTH)}${'}'.repeat(DEPTH)}\n`,
    `p.yaml:1:409 too-deep
This is nested more than 100 levels deep.
  a: ${'{a: '.repeat(39)}{
${' '.repeat(41)}^
Flatten it.
`,
  ],
  [
    'keys 20,000 deep',
    '? '.repeat(DEPTH),
    `p.yaml:1:203 too-deep
This is nested more than 100 levels deep.
   ${'? '.repeat(79)}?
${' '.repeat(41)}^
Flatten it.
`,
  ],
  [
    '4.9 MB of brackets that never close',
    '['.repeat(4_900_000),
    `p.yaml:1:102 too-deep
This is nested more than 100 levels deep.
  ${'['.repeat(160)}
${' '.repeat(103)}^
Flatten it.
`,
  ],
  [
    'an alias of itself',
    params('{labels: 3, p: &a [*a]}'),
    `p.yaml:2:28 alias
"*a" contains itself.
  params: {labels: 3, p: &a [*a]}
${' '.repeat(29)}^^
Write the value out.
`,
  ],
  [
    'a merge key',
    params('{labels: 3, <<: {a: 1}}'),
    `p.yaml:2:21 merge-key
Merge keys ("<<") are not read.
  params: {labels: 3, <<: {a: 1}}
${' '.repeat(22)}^^
Write the keys out, or keep the shared map in params.
`,
  ],
  [
    'a param named __proto__',
    params('{labels: 3, __proto__: {polluted: 1}}'),
    `p.yaml:2:21 hostile-name
"__proto__" cannot be a name.
  params: {labels: 3, __proto__: {polluted: 1}}
${' '.repeat(22)}^^^^^^^^^
Choose another name.
`,
  ],
  [
    'a node named __proto__',
    WITH_PARAMS.replace('again:', '__proto__:'),
    `p.yaml:5:3 hostile-name
"__proto__" cannot be a name.
    __proto__: {uses: pretrain-load, in: {weights: start.weights}, with: {source: upstream, labels: "\${labels}"}}
    ^^^^^^^^^
Choose another name.
`,
  ],
  [
    'a tag that would make an object',
    params('{labels: !!js/function "x"}'),
    `p.yaml:2:32 bad-tag
The tag "tag:yaml.org,2002:js/function" has no meaning here.
  params: {labels: !!js/function "x"}
${' '.repeat(33)}^^^
Leave the tag out.
`,
  ],
  [
    'a key twice',
    params('{labels: 3, labels: 4}'),
    `p.yaml:2:21 duplicate-key
The key "labels" is given twice.
  params: {labels: 3, labels: 4}
${' '.repeat(22)}^^^^^^
It was first given in line 2; remove one.
`,
  ],
  [
    'Latin-1',
    Buffer.from(`${WITH_PARAMS}# \u00e9`, 'latin1'),
    `not-utf8: p.yaml is not UTF-8 text.
Save it as UTF-8.
`,
  ],
  [
    'UTF-16',
    Buffer.from(`\uFEFF${WITH_PARAMS}`, 'utf16le'),
    `not-utf8: p.yaml is not UTF-8 text.
Save it as UTF-8.
`,
  ],
  [
    '50 MB',
    `${WITH_PARAMS}#${' '.repeat(50_000_000)}`,
    `too-large: p.yaml is 50.0 MB large.
basin reads files of up to 5.0 MB; big data belongs into files that stages read.
`,
  ],
  [
    'nothing in it',
    '',
    `p.yaml:1:1 missing-key
The pipeline is empty.
  
  ^
Write stages: {NODE: {uses: STAGE}}.
`,
  ],
])('a pipeline with %s is refused', async (_, content, expected) => {
  expect(await toldOf(content)).toBe(expected);
});

test.each<readonly [what: string, file: string, content: string | Uint8Array, told: string]>([
  [
    'lists 20,000 deep',
    'p.json',
    `{"labels": ${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`,
    `p.json:1:112 too-deep
This is nested more than 100 levels deep.
  {"labels": ${'['.repeat(149)}
${' '.repeat(113)}^
Flatten it.
`,
  ],
  [
    'a merge key',
    'p.yaml',
    '<<: {labels: 4}\n',
    `p.yaml:1:1 merge-key
Merge keys ("<<") are not read.
  <<: {labels: 4}
  ^^
Write the keys out, or keep the shared map in params.
`,
  ],
  [
    'the name __proto__',
    'p.json',
    '{"__proto__": {"labels": 9}}',
    `p.json:1:2 hostile-name
"__proto__" cannot be a name.
  {"__proto__": {"labels": 9}}
   ^^^^^^^^^^^
Choose another name.
`,
  ],
  [
    'a name twice',
    'p.json',
    '{"labels": 4, "labels": 5}',
    `p.json:1:15 duplicate-key
The key "labels" is given twice.
  {"labels": 4, "labels": 5}
                ^^^^^^^^
It was first given in line 1; remove one.
`,
  ],
  [
    'a bracket left open',
    'p.json',
    '{"labels": 4',
    `p.json:1:13 yaml-syntax
This is not YAML: Flow map must end with a }.
  {"labels": 4
              ^
Look for a quote or a bracket that is not closed.
`,
  ],
  [
    'a list in it',
    'p.json',
    '[1]',
    `p.json:1:1 wrong-type
A params file is a map of params, not a list.
  [1]
  ^^^
Write "name: value".
`,
  ],
  [
    'a number twice as long as a double',
    'p.yaml',
    'labels: 9007199254740993\n',
    `p.yaml:1:9 bad-number
9007199254740993 would lose digits.
  labels: 9007199254740993
          ^^^^^^^^^^^^^^^^
Whole numbers go up to 9007199254740991 (2^53 - 1); put the number into quotes if it is a name.
`,
  ],
  [
    'a param that needs itself',
    'p.json',
    `{"labels": "\${labels}"}`,
    `p.json:1:12 param-cycle
These params need each other: labels → labels.
  {"labels": "\${labels}"}
             ^^^^^^^^^^^
Give one of them a plain value.
`,
  ],
  [
    'Latin-1',
    'p.json',
    Buffer.from('{"labels": "\u00e9"}', 'latin1'),
    `not-utf8: p.json is not UTF-8 text.
Save it as UTF-8.
`,
  ],
  [
    '50 MB',
    'p.json',
    `{"labels": 4${' '.repeat(50_000_000)}}`,
    `too-large: p.json is 50.0 MB large.
basin reads files of up to 5.0 MB; big data belongs into files that stages read.
`,
  ],
])('a params file with %s is refused', async (_, file, content, expected) => {
  expect(await toldOf(content, '--params', file)).toBe(expected);
});

test('aliases that would expand to billions are refused one by one, and quickly', async () => {
  const bomb = Array.from({length: 30}, (_, level) => `  p${level + 1}: &a${level + 1} [*a${level}, *a${level}]\n`);
  const told = await toldOf(
    WITH_PARAMS.replace('params: {labels: 3}\n', `params:\n  labels: 3\n  p0: &a0 [1, 1]\n${bomb.join('')}`),
  );
  expect(told).toContain(`p.yaml:18:20 alias
Aliases in this file expand to more than 100000 values.
    p14: &a14 [*a13, *a13]
                     ^^^^
Use params instead of aliases.
`);
});

test('of a flood of faults a hundred are told, and where the next is', async () => {
  const told = await toldOf(params(`\n${'  <<: 1\n'.repeat(20_000)}`));
  const parts = told.split('\n\n');
  expect(parts).toHaveLength(102);
  expect(parts[99]).toBe(parts[0]?.replace(':3:3 ', ':102:3 '));
  expect(`${parts[100]}\n\n${parts[101]}`).toBe(`p.yaml:103:3 more-faults
There are more faults than these 100; the next is here.
    <<: 1
    ^^
Mend the others first.

101 faults; nothing was run.
`);
});

test('a pipe, a device or a folder in place of a file is refused and not waited on', async () => {
  const cwd = hostileFolder();
  writeFileSync(join(cwd, 'good.yaml'), WITH_PARAMS);
  mkdirSync(join(cwd, 'folder'));
  execFileSync('mkfifo', [join(cwd, 'pipe')]);
  expect(await bothIn(cwd, 'pipe')).toBe(`wrong-command: Cannot open the pipeline file "pipe": it is a pipe or a device.
Save it as a file first: it may be read more than once.
`);
  expect(
    await bothIn(cwd, '/dev/zero'),
  ).toBe(`wrong-command: Cannot open the pipeline file "/dev/zero": it is a pipe or a device.
Save it as a file first: it may be read more than once.
`);
  expect(await bothIn(cwd, 'folder')).toBe(`wrong-command: Cannot open the pipeline file "folder": it is a folder.
Check the path; it starts at the folder you are in.
`);
  expect(
    await bothIn(cwd, 'good.yaml', '--params', 'pipe'),
  ).toBe(`wrong-command: Cannot open the params file "pipe": it is a pipe or a device.
Save it as a file first: it may be read more than once.
`);
  expect(
    await bothIn(cwd, 'good.yaml', '--params', 'folder'),
  ).toBe(`wrong-command: Cannot open the params file "folder": it is a folder.
Check the path; it starts at the folder you are in.
`);
});

test('a pipeline of a terabyte is refused by its size', async () => {
  const cwd = hostileFolder();
  writeFileSync(join(cwd, 'p.yaml'), WITH_PARAMS);
  truncateSync(join(cwd, 'p.yaml'), 2 ** 40); // a hole: it takes no disk
  expect(await bothIn(cwd, 'p.yaml')).toBe(`too-large: p.yaml is 1099511.6 MB large.
basin reads files of up to 5.0 MB; big data belongs into files that stages read.
`);
});
