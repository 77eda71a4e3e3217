import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type Digest, digestOf} from '../../src/base/digest.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {keyOfPreimage, preimageOf} from '../../src/plan/key.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {Stage} from '../../src/stage/define-stage.ts';
import type {OutputRecord} from '../../src/store/record.ts';
import {declaredStage, graphOf, type InstanceSketch} from '../rig/hand-made-graph.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

const load = declaredStage('pretrain-load', {version: 3});
const train = declaredStage('finetune', {computes: 'tensors', inputs: {weights: {kind: 'weights', doc: ''}}});
const barrier = declaredStage('barrier', {inputs: {points: {kind: 'weights', doc: '', many: {over: ['alpha']}}}});

const SKETCHES: readonly InstanceSketch[] = [
  {id: 'load', stage: load, params: {source: 'random', labels: 10, mean: [0.5, 0.25], none: null}},
  {id: 'train', stage: train, params: {lr: 2e-4, seed: {order: 1}}, inputs: {weights: 'load.weights'}},
  {
    id: 'barrier',
    stage: barrier,
    inputs: {
      points: [
        [{alpha: 0}, 'load.weights'],
        [{alpha: 0.5}, 'train.weights'],
      ],
    },
  },
];

const outputOf = (index: number, artifact: string): OutputRecord => ({
  kind: 'weights',
  digest: digestOf(`${index} ${artifact}`),
  bytes: 1,
});
const preimages = (sketches: readonly InstanceSketch[], numerics = 'n1', outputs = outputOf): readonly JsonObject[] =>
  graphOf(sketches).instances.map((instance) => preimageOf({instance, identity: instance.params}, outputs, numerics));
const keys = (...args: Parameters<typeof preimages>) => preimages(...args).map(keyOfPreimage);

test('keys already on disk never change', () => {
  const golden: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'golden', 'keys.json'), 'utf8'));
  expect(preimages(SKETCHES).map((preimage) => ({preimage, key: keyOfPreimage(preimage)}))).toEqual(golden);
});

test('numerics move only the keys of stages that compute with tensors', () => {
  const [before, after] = [keys(SKETCHES), keys(SKETCHES, 'n2')];
  expect(after.map((key, index) => key === before[index])).toEqual([true, false, true]);
});

test('names of instances, and the order of parameters, are in no key', () => {
  const renamed = SKETCHES.map(({id, stage, params, inputs}) => ({
    id: `${id}-2`,
    stage,
    params: Object.fromEntries(Object.entries(params ?? {}).reverse()),
    inputs: JSON.parse(JSON.stringify(inputs ?? {}).replaceAll('.weights"', '-2.weights"')),
  }));
  expect(keys(renamed)).toEqual(keys(SKETCHES));
});

test('other upstream bytes, another version, another axis value of what is gathered: other keys', () => {
  const original = keys(SKETCHES);
  const other = (index: number, artifact: string) => ({...outputOf(index, artifact), digest: otherDigest(index)});
  expect(keys(SKETCHES, 'n1', other).map((key, index) => key === original[index])).toEqual([true, false, false]);
  const moved = SKETCHES.map((sketch) =>
    sketch.id === 'barrier'
      ? {
          ...sketch,
          inputs: {
            points: [
              [{alpha: 0}, 'load.weights'],
              [{alpha: 0.6}, 'train.weights'],
            ] as const,
          },
        }
      : sketch,
  );
  expect(keys(moved)[2]).not.toBe(original[2]);
});

test('a parameter that was added later is in no key at the value that changes nothing, and in it at every other', async () => {
  const before = declaredStage('pretrain-load');
  const after = declaredStage('pretrain-load', {noop: {precision: 'fp32', ends: [0, 1]}});
  const keyOf = async (stage: Stage, params: JsonObject) => {
    const graph = graphOf([{id: 'n', stage, params}]);
    const [planned] = (await makePlan(graph, {store: await temporaryStore(), numerics: undefined})).instances;
    return planned?.key;
  };
  const old = await keyOf(before, {seed: 1});
  expect(old).toBeDefined();
  expect(await keyOf(after, {seed: 1, precision: 'fp32', ends: [0, 1]})).toBe(old);
  expect(await keyOf(after, {seed: 1, precision: 'bf16', ends: [0, 1]})).not.toBe(old);
  expect(await keyOf(after, {seed: 1, precision: 'fp32', ends: [0, 2]})).not.toBe(old);
});

const otherDigest = (index: number): Digest => digestOf(`other ${index}`);
