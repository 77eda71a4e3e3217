import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {ON_BACKEND} from '../cli/study.ts';
import {failuresOf} from './told.ts';

const HEAD = `import {defineDataSet, z} from 'lossbasin';
const ok = (n) => ({channels: 1, height: 8, width: 8, values: new Uint8Array(n * 64), labels: Array.from({length: n}, (_, k) => k % 2)});
`;
const START = `stages:
  start: {uses: pretrain-load, with: {source: random, model: {model: mlp, image_size: 8, num_channels: 1, hidden: [4], labels: 2}}}
`;

/** What a run tells of files that each declare a data set, by their names. */
async function told(declarations: Readonly<Record<string, string>>): Promise<object> {
  const cwd = await scratchFolder();
  const nodes: string[] = [];
  for (const [name, declaration] of Object.entries(declarations)) {
    await writeFile(join(cwd, `${name}.ts`), `${HEAD}export default defineDataSet(${declaration});\n`);
    nodes.push(`  ${name}: {uses: evaluate, in: {weights: start.weights}, with: {data: ./${name}.ts}}`);
  }
  await writeFile(join(cwd, 'p.yaml'), `${START}${nodes.join('\n')}\n`);
  return failuresOf((await basin(['run', 'p.yaml', '--json', '--keep-going', ...ON_BACKEND], {cwd})).stdout);
}

const WHOLE =
  'Have "load" return {classes, train, test}, where train and test are {channels, height, width, values, labels}.';
const CLASSES = 'Give the number of classes, a whole number from 1 to 65536.';
const SIZES = 'Give channels, height and width of a picture, whole numbers from 1.';
const BYTES = 'Give a Uint8Array: levels from 0 to 255, in the order picture, channel, row, column.';
const LABELS = 'Give a list or an Int32Array with the class of each picture.';
const BELOW = 'Labels are whole numbers from 0, below `classes`.';

const split = (more: string): string => `{classes: 2, train: {...ok(4), ${more}}, test: ok(2)}`;
const LOADED: Readonly<Record<string, readonly [gives: string, told: string]>> = {
  nothing: ['undefined', `its "load" gives nothing.\n${WHOLE}`],
  none: ['null', `its "load" gives null.\n${WHOLE}`],
  'no-test': ['{classes: 2, train: ok(4)}', `its "load" gives nothing as \`test\`.\n${WHOLE}`],
  'a-text': ["{classes: 2, train: 'ok', test: ok(2)}", `its "load" gives the text "ok" as \`train\`.\n${WHOLE}`],
  'a-promise': [
    '{classes: 2, train: Promise.resolve(ok(4)), test: ok(2)}',
    'its "load" gives a promise as `train`.\nAwait it: train: await ….',
  ],
  'no-classes': ['{train: ok(4), test: ok(2)}', `its "load" gives nothing as \`classes\`.\n${CLASSES}`],
  'no-class': ['{classes: 0, train: ok(4), test: ok(2)}', `its "load" gives 0 as \`classes\`.\n${CLASSES}`],
  'half-a-class': ['{classes: 1.5, train: ok(4), test: ok(2)}', `its "load" gives 1.5 as \`classes\`.\n${CLASSES}`],
  'many-classes': [
    '{classes: 1e9, train: ok(4), test: ok(2)}',
    `its "load" gives 1000000000 as \`classes\`.\n${CLASSES}`,
  ],
  'no-channels': [split('channels: undefined'), `train has nothing as \`channels\`.\n${SIZES}`],
  flat: [split('height: 0'), `train has 0 as \`height\`.\n${SIZES}`],
  floats: [split('values: new Float32Array(256)'), `train has a Float32Array as \`values\`.\n${BYTES}`],
  'no-values': [split('values: undefined'), `train has nothing as \`values\`.\n${BYTES}`],
  'no-labels': [split('labels: undefined'), `train has nothing as \`labels\`.\n${LABELS}`],
  'a-label': [split('labels: 1'), `train has 1 as \`labels\`.\n${LABELS}`],
  'few-labels': [
    split('labels: [0, 1, 0]'),
    'train has 3 labels, so it needs 3 × 1 × 8 × 8 = 192 bytes in a Uint8Array, and has 256.\nCheck what load gives: bytes in the order picture, channel, row, column.',
  ],
  'text-labels': [
    split("labels: ['0', '1', '0', '1']"),
    `train has the text "0" as the label at picture 0, and there are 2 classes.\n${BELOW}`,
  ],
  'label-beyond': [
    split('labels: [0, 1, 2, 0]'),
    `train has the label 2 at picture 2, and there are 2 classes.\n${BELOW}`,
  ],
  'no-pictures': [
    '{classes: 2, train: ok(0), test: ok(2)}',
    'train has no pictures.\nGive one picture at least, and its label.',
  ],
  'other-sizes': [
    '{classes: 2, train: ok(4), test: {...ok(2), height: 4, width: 16}}',
    'train and test differ in their height: 8 and 4.\nGive both the same size.',
  ],
};

test('what a data set loads is looked at as a whole, and told with its file and without a stack', {
  timeout: 60_000,
}, async () => {
  const declaration = (gives: string): string =>
    `{doc: 'Mine.', settings: z.strictObject({}), files: () => [], load: async () => (${gives})}`;
  const declarations = Object.entries(LOADED).map(([name, [gives]]) => [name, declaration(gives)]);
  const throwing = "{classes: 2, get train() { throw new Error('no way'); }, test: ok(2)}";
  expect(await told({...Object.fromEntries(declarations), throws: declaration(throwing)})).toEqual({
    ...Object.fromEntries(Object.entries(LOADED).map(([name, [, text]]) => [name, `${name}.ts: ${text}`])),
    throws: expect.stringMatching(/^throws\.ts:3:\d+: no way\nMend throws\.ts\.$/),
  });
});

const DECLARE = 'Declare {doc, settings, files, load}.';
const DECLARED: Readonly<Record<string, readonly [declaration: string, told: string]>> = {
  nothing: ['undefined', `what it declares is nothing.\n${DECLARE}`],
  'no-load': [
    "{doc: 'Mine.', settings: z.strictObject({}), files: () => []}",
    `its "load" must be a function, and is nothing.\n${DECLARE}`,
  ],
  'files-listed': [
    "{doc: 'Mine.', settings: z.strictObject({}), files: ['a'], load: () => 1}",
    `its "files" must be a function, and is a list.\n${DECLARE}`,
  ],
  'files-waiting': [
    "{doc: 'Mine.', settings: z.strictObject({}), files: async () => ['a'], load: () => 1}",
    'its "files" must give a list of paths, and gives a promise.\nGive paths below the root, without waiting for anything.',
  ],
  'no-settings': [
    "{doc: 'Mine.', files: () => [], load: () => 1}",
    'its "settings" must be a zod schema, and is nothing.\nWrite settings: z.strictObject({…}), with import {z} from "lossbasin".',
  ],
};

test('a data set that is not declared as one cannot be resolved', {timeout: 60_000}, async () => {
  const declarations = Object.entries(DECLARED).map(([name, [declaration]]) => [name, declaration]);
  expect(await told(Object.fromEntries(declarations))).toEqual(
    Object.fromEntries(
      Object.entries(DECLARED).map(([name, [, text]]) => [
        name,
        `The parameter "data" cannot be resolved: ${name}.ts: ${text}`,
      ]),
    ),
  );
});
