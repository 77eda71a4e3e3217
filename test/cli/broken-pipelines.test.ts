import {existsSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, STACK, scratchFolder} from './basin.ts';

// Real stages through the real command. «…» marks what the fault must point at; the rest is what the user sees, whole.

interface Broken {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

const START = '  start: {uses: pretrain-load, with: {source: random, model: {model: mlp}}}\n';
const TRAIN = 'data: {name: mnist}, lr: 0.001';
const from = (stage: string, params: string): string =>
  `stages:\n${START}  n: {uses: ${stage}, in: {weights: start.weights}, with: {${params}}}\n`;
const KEEP = 'keep: Fraction of the prunable weights to keep, in (0, 1].';

const broken: readonly Broken[] = [
  {
    name: 'an unknown stage',
    text: from('«finetun»', ''),
    code: 'unknown-stage',
    message: 'There is no stage "finetun".',
    hint: 'Did you mean "finetune"?',
  },
  {
    name: 'a misspelt parameter',
    text: from('finetune', `${TRAIN}, «lenght»: 1ep`),
    code: 'unknown-parameter',
    message: 'The stage "finetune" has no parameter "lenght".',
    hint: 'Did you mean "length"?',
  },
  {
    name: 'a misspelt augmentation',
    text: from('finetune', `${TRAIN}, length: 1ep, augment: [{«shfit»: 2}]`),
    code: 'unknown-parameter',
    message: '"augment.0" has no parameter "shfit".',
    hint: 'Did you mean "shift"?',
  },
  {
    name: 'a length that is none',
    text: from('finetune', `${TRAIN}, length: «3 epochs»`),
    code: 'bad-parameter',
    message: '"length" of "finetune": "3 epochs" is no length of training: write 8ep, 1200it or 2ep50it.',
    hint: 'length: How long to train: epochs (8ep), steps (1200it), or both (2ep50it). The last partial batch of an epoch counts as a step.',
  },
  {
    name: 'a cycle',
    text: 'stages:\n  a: {uses: random-mask, in: {mask: «b.mask»}}\n  b: {uses: random-mask, in: {mask: a.mask}}\n',
    code: 'cycle',
    message: 'These nodes wait for each other: a → b → a.',
    hint: 'Take "mask" of "a" from a node that comes earlier.',
  },
  {
    name: 'a missing input',
    text: `stages:\n${START}  «a»: {uses: evaluate, with: {data: {name: mnist}}}\n`,
    code: 'missing-input',
    message: 'The node "a" lacks its input "weights", of kind weights.',
    hint: 'Write in: {weights: start.weights}.',
  },
  {
    name: 'an artifact of the wrong kind',
    text: `stages:\n${START}  a: {uses: random-mask, in: {mask: «start.weights»}}\n`,
    code: 'wrong-kind',
    message: 'The input "mask" takes mask, but "start.weights" is weights.',
    hint: '"start" gives nothing of kind mask.',
  },
  {
    name: 'an alpha out of range',
    text: `stages:\n${START}  i:
    uses: interpolate
    in: {a: start.weights, b: start.weights}
    with: {data: {name: mnist}}
    sweep: {alpha: [0, «1.5»]}
`,
    code: 'bad-parameter',
    message: '"alpha" of "interpolate" must be a number from 0 to 1, but is 1.5.',
    hint: 'alpha: Weight of b in [0, 1]: the point is (1 − alpha)·a + alpha·b.',
  },
  ...['0', '1.5'].map((keep) => ({
    name: `keep ${keep}`,
    text: from('platon-prune', `${TRAIN}, length: 1ep, keep: «${keep}»`),
    code: 'bad-parameter',
    message: `"keep" of "platon-prune" must be a number above 0 and at most 1, but is ${keep}.`,
    hint: KEEP,
  })),
  {
    name: 'both keep and sparsity',
    text: from('platon-prune', `${TRAIN}, length: 1ep, keep: «0.2», sparsity: 0.8`),
    code: 'bad-parameter',
    message: '"keep" of "platon-prune": Give exactly one of `keep` and `sparsity`.',
    hint: KEEP,
  },
  {
    name: 'neither keep nor sparsity',
    text: from('platon-prune', `${TRAIN}, length: 1ep`).replace(/with(?=[^\n]*\n$)/, '«with»'),
    code: 'bad-parameter',
    message: '"keep" of "platon-prune": Give exactly one of `keep` and `sparsity`.',
    hint: KEEP,
  },
  {
    name: 'an axis that nothing uses',
    text: `stages:\n${START}  e:
    uses: evaluate
    in: {weights: start.weights}
    with: {data: {name: mnist}}
    sweep: {«splt»: [train, test]}
`,
    code: 'unused-axis',
    message: 'The axis "splt" of "e" changes nothing: no parameter and no expression uses it.',
    hint: 'Did you mean "split"?',
  },
  {
    name: 'YAML that does not parse',
    text: 'stages:\n  a: {uses: evaluate}\n« »  b: {uses: evaluate}\n',
    code: 'yaml-syntax',
    message: 'This is not YAML: All mapping items must start at the same column.',
    hint: 'Look for a bracket that is not closed, or a line that is not indented like its neighbours.',
  },
  {
    name: 'a key that is given twice',
    text: `stages:\n${START}${START.replace('start', '«start»')}`,
    code: 'duplicate-key',
    message: 'The key "start" is given twice.',
    hint: 'It was first given in line 2; remove one.',
  },
];

/** The file without its marks, and where they stood: line and column from 1, and the caret line. */
function marked(text: string) {
  const before = text.slice(0, text.indexOf('«')).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const width = text.indexOf('»') - text.indexOf('«') - 1;
  const file = text.replace(/[«»]/g, '');
  const source = file.split('\n')[before.length - 1];
  return {
    file,
    line: before.length,
    column,
    shown: `  ${source}\n  ${' '.repeat(column - 1)}${'^'.repeat(width)}`,
  };
}

test.concurrent.for(broken)(
  '$name is refused with its place and a remedy, and nothing is written',
  async ({text, code, message, hint}, {onTestFinished}) => {
    const cwd = await scratchFolder(onTestFinished);
    const {file, line, column, shown} = marked(text);
    await writeFile(join(cwd, 'p.yaml'), file);

    const run = await basin(['run', 'p.yaml'], {cwd});
    expect(run.stderr.trimEnd()).toBe(`p.yaml:${line}:${column} ${code}\n${message}\n${shown}\n${hint}`);
    expect(run).toMatchObject({code: 2, stdout: ''});
    expect(run.stderr).not.toMatch(STACK);

    const json = await basin(['plan', 'p.yaml', '--json'], {cwd});
    expect(json).toMatchObject({code: 2, stderr: ''});
    expect(JSON.parse(json.stdout)).toEqual({errors: [{code, message, file: 'p.yaml', line, column, hint}]});
    expect(existsSync(join(cwd, 'cache'))).toBe(false);
  },
);

test('several faults are told at once, with their number', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), `stages:\n${START}  a: {uses: evalute}\n  b: {uses: barier}\n`);
  const run = await basin(['run', 'p.yaml'], {cwd});
  expect(run.code).toBe(2);
  expect(run.stderr).toContain('Did you mean "evaluate"?');
  expect(run.stderr).toContain('Did you mean "barrier"?');
  expect(run.stderr).toMatch(/\n2 faults; nothing was run\.\n$/);
});
