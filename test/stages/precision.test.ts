import {expect, test} from 'vitest';
import {z} from 'zod';
import type {JsonObject} from '../../src/base/json.ts';
import {registry} from '../../src/cli/registry.ts';
import evaluate from '../../stages/evaluate.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import {precisionNotes} from '../../stages/lib/precision.ts';
import {locatedMnist, preprocessor, randomMlp, recordingServices, SMALL_VIT, STAGES_ON} from '../training/services.ts';

const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});
const weights = randomMlp(1, 2, [8]);

const lossSchema = z.array(z.object({loss: z.number()}));

/** Loss of the only row that a stage gives for a network, as it is and in another precision. */
async function lossOf(name: string, output: string, params: object, inputs: object): Promise<number> {
  const stage = registry.get(name);
  if (!stage) throw new Error(`There is no stage ${name}`);
  const given = z.json().parse(await stage.params.parseAsync({data, ...params}));
  const outputs = await stage.run({params: given, inputs: {...inputs}, services: recordingServices().services});
  return lossSchema.parse(outputs[output])[0]?.loss ?? Number.NaN;
}

const STAGES = [
  ['finetune', 'metrics', {length: '1it', lr: 1e-3}, {weights}],
  ['evaluate', 'summary', {}, {weights}],
  ['interpolate', 'points', {alpha: 0, train: 0}, {a: weights, b: weights}],
] as const;

test.each(STAGES)(
  '%s computes in the precision it is asked for: bf16 is close to fp32, and not the same',
  async (...stage) => {
    const [name, output, params, inputs] = stage;
    const fp32 = await lossOf(name, output, params, inputs);
    expect(await lossOf(name, output, {...params, precision: 'fp32'}, inputs)).toBe(fp32);
    const bf16 = await lossOf(name, output, {...params, precision: 'bf16'}, inputs);
    expect(bf16).not.toBe(fp32);
    expect(Math.abs(bf16 / fp32 - 1)).toBeLessThan(0.01);
  },
);

test('every stage that runs a network has a precision, and fp32 is in no key', () => {
  const stages = [...registry.values()].filter(({computes}) => computes === 'tensors');
  expect(stages.map(({name}) => name).sort()).toEqual(
    [
      'estimate-statistics',
      'evaluate',
      'finetune',
      'gradual-prune',
      'imp',
      'interpolate',
      'layerwise',
      'mask-retrain',
      'merge-greedy-soup',
      'platon-prune',
      'structured-prune',
    ].sort(),
  );
  for (const {noop} of stages) expect(noop).toMatchObject({precision: 'fp32'});
});

/** The log's lines on precision when a network is evaluated. */
async function notesOn(model: JsonObject, precision: string): Promise<readonly string[]> {
  const bound = bindModel(model);
  const network = {model: bound.config, preprocessor, tensors: initialise(bound, 1)};
  const {services, lines} = recordingServices();
  const params = z.json().parse(await evaluate.params.parseAsync({data, precision}));
  await evaluate.run({params, inputs: {weights: network}, services});
  return lines.filter((line) => line.includes('precision'));
}

test('the log says where bf16 rounds less than it could, and where it costs time instead of saving it', async () => {
  const resnet = {
    model: 'resnet',
    norm: 'group',
    depth: 8,
    width: 2,
    labels: 2,
    image_size: 28,
    num_channels: 1,
    groups: 2,
  };
  const classifier = expect.stringMatching(/^precision: bf16 rounds the classifier of a residual network alone;/);
  const slow = expect.stringMatching(/^precision: bf16 takes longer than fp32 here/);
  expect(await notesOn(resnet, 'fp32')).toEqual([]);
  expect(await notesOn(SMALL_VIT, 'fp32')).toEqual([]);
  expect(await notesOn(SMALL_VIT, 'bf16')).toEqual(STAGES_ON === 'cpu' ? [slow] : []);
  const own = precisionNotes(recordingServices().services.tf, {model: './mine.ts'}, 'bf16');
  expect(own).toEqual([expect.stringMatching(/^precision: bf16 does nothing in a model of your own;/)]);
  expect(await notesOn(resnet, 'bf16')).toEqual(STAGES_ON === 'cpu' ? [classifier, slow] : [classifier]);
});
