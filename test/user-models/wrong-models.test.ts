import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {ON_BACKEND} from '../cli/study.ts';
import {failuresOf} from './told.ts';

const PARAMETERS = "() => ({w: {shape: [784, 2], init: 'normal'}, b: {shape: [2], init: 'zeros', head: true}})";
const LOGITS = "tf.add(tf.matMul(pictures.reshape([-1, 784]), parameter('w')), parameter('b'))";
const declared = ({parameters = PARAMETERS, forward = `(tf, parameter, pictures) => ${LOGITS}`}): string =>
  `{doc: 'Mine.', settings: z.strictObject({}), parameters: ${parameters}, forward: ${forward}}`;

/** What a run tells of files that each declare a model, by their names: of loading and of training it. */
async function told(declarations: Readonly<Record<string, string>>): Promise<object> {
  const cwd = await scratchFolder();
  const nodes: string[] = [];
  for (const [name, declaration] of Object.entries(declarations)) {
    const code = `import {defineModel, z} from 'lossbasin';\nlet kept;\nexport default defineModel(${declaration});\n`;
    await writeFile(join(cwd, `${name}.ts`), code);
    const model = `{model: ./${name}.ts, labels: 2, image_size: 28, num_channels: 1}`;
    nodes.push(
      `  load-${name}: {uses: pretrain-load, with: {source: random, model: ${model}}}`,
      `  ${name}: {uses: finetune, in: {weights: load-${name}.weights}, with: {data: "\${data}", length: 2it, batch: 8, lr: 1.0e-3}}`,
    );
  }
  const data = 'params: {data: {name: mnist, classes: [0, 1], limit: {train: 16, test: 8}}}';
  await writeFile(join(cwd, 'p.yaml'), `${data}\nstages:\n${nodes.join('\n')}\n`);
  return failuresOf((await basin(['run', 'p.yaml', '--json', '--keep-going', ...ON_BACKEND], {cwd})).stdout);
}

const DECLARE = 'Declare {doc, settings, parameters, forward}.';
const EACH = 'Each is {shape, init, scale?, prunable?, head?} under its name.';
const DECLARED: Readonly<Record<string, readonly [declaration: string, told: string]>> = {
  nothing: ['undefined', `what it declares is nothing.\n${DECLARE}`],
  'no-forward': [declared({forward: 'undefined'}), `its "forward" must be a function, and is nothing.\n${DECLARE}`],
  'parameters-listed': [
    declared({parameters: "() => [['w', {shape: [2], init: 'zeros'}]]"}),
    `its "parameters" must give a map of parameters, and gives a list.\n${EACH}`,
  ],
  'parameters-waiting': [
    declared({parameters: "async () => ({w: {shape: [2], init: 'zeros'}})"}),
    `its "parameters" must give a map of parameters, and gives a promise.\n${EACH}`,
  ],
  huge: [
    declared({parameters: "() => ({w: {shape: [1e6, 1e6], init: 'normal'}})"}),
    `its parameters are not right: w.shape: with this shape the parameters have 1000000000000 numbers, and a network has at most 2147483647\n${EACH}`,
  ],
  negative: [
    declared({parameters: "() => ({w: {shape: [2, -1], init: 'normal'}})"}),
    `its parameters are not right: w.shape.1: Too small: expected number to be >=1\n${EACH}`,
  ],
  'odd-name': [
    declared({parameters: "() => ({'a b': {shape: [2], init: 'zeros'}})"}),
    `its parameters are not right: a b: a name has letters, digits, dots, dashes and underscores\n${EACH}`,
  ],
  'name-of-its-own': [
    declared({parameters: "() => ({['__proto__']: {shape: [2], init: 'zeros'}, w: {shape: [2], init: 'zeros'}})"}),
    `no parameter can have the name "__proto__".\n${EACH}`,
  ],
};

test('a model that is not declared as one, or asks for what no network has, cannot be resolved', {
  timeout: 60_000,
}, async () => {
  const declarations = Object.entries(DECLARED).map(([name, [declaration]]) => [name, declaration]);
  expect(await told(Object.fromEntries(declarations))).toEqual(
    Object.fromEntries(
      Object.entries(DECLARED).map(([name, [, text]]) => [
        `load-${name}`,
        `The parameter "model" cannot be resolved: ${name}.ts: ${text}`,
      ]),
    ),
  );
});

const MUST = 'It must give logits of shape [8,2] and type float32: a row a picture, a column a class.';
const FORWARD: Readonly<Record<string, readonly [forward: string, gives: string]>> = {
  nothing: ['() => undefined', 'nothing'],
  waits: ['async () => 1', 'a promise'],
  lists: ['() => [[1, 2]]', 'a list'],
  'other-shape': ["(tf, parameter) => parameter('w')", 'a tensor of shape [784,2]'],
  'other-type': [`(tf, parameter, pictures) => tf.cast(${LOGITS}, 'int32')`, 'a tensor of shape [8,2] of type int32'],
};

test('what the forward function of a model gives is told with its file', {timeout: 60_000}, async () => {
  const declarations = Object.entries(FORWARD).map(([name, [forward]]) => [name, declared({forward})]);
  const found = await told({
    ...Object.fromEntries(declarations),
    constant: declared({forward: '(tf, parameter, pictures) => tf.zeros([pictures.shape[0], 2])'}),
    stepped: declared({forward: `(tf, parameter, pictures) => tf.cast(tf.greater(${LOGITS}, 0), 'float32')`}),
    inherited: declared({forward: "(tf, parameter) => parameter('constructor')"}),
    good: declared({}),
  });
  expect(found).toEqual({
    ...Object.fromEntries(
      Object.entries(FORWARD).map(([name, [, gives]]) => [
        name,
        `The forward function of ${name}.ts gives ${gives}.\n${MUST}`,
      ]),
    ),
    constant:
      'The logits that the forward function of constant.ts gives do not come from its parameters, so nothing can be trained.\nHave it compute them from what parameter(name) gives, anew at each call.',
    stepped: expect.stringMatching(
      /^There is no gradient through the forward function of stepped\.ts: Cannot compute gradient: .*\nAll that it does between a parameter and the logits must have a gradient in TensorFlow\.js\.$/,
    ),
    inherited: expect.stringMatching(
      /^inherited\.ts:3:\d+: There is no parameter "constructor"\.\nThe parameters are: w, b\.$/,
    ),
  });
});
