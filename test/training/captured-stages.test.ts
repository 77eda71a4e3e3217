import {expect, test} from 'vitest';
import {z} from 'zod';
import type {Weights} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';
import finetune from '../../stages/finetune.ts';
import interpolate from '../../stages/interpolate.ts';
import {initialise} from '../../stages/lib/models/initialise.ts';
import {bindModel} from '../../stages/lib/models/registry.ts';
import type {Tf} from '../../stages/tensor/library.ts';
import {nativeOperations} from '../fused/against-definition.ts';
import {relativeError} from '../rig/gradients.ts';
import {weightsIn} from '../stages/run-stage.ts';
import {locatedMnist, preprocessor, recordingServices, SMALL_VIT} from './services.ts';

const native = await nativeOperations();
const data = await locatedMnist({classes: [0, 1], limit: {train: 60, test: 30}});

/** The library as it is where nothing can be captured and no operation is ours: TensorFlow computes one operation after the other. */
function eager(tf: Tf): Tf {
  const backend = new Proxy(tf.backend(), {
    has: (target, name) => name !== 'loadSavedModelMetaGraph' && Reflect.has(target, name),
  });
  return {...tf, backend: () => backend};
}

const resnet = {model: 'resnet', depth: 8, width: 2, labels: 2, image_size: 28, num_channels: 1};
const vit = {...SMALL_VIT, num_attention_heads: 1};
const CASES: readonly [name: string, model: JsonObject, training: object, line: object, tolerance: number][] = [
  ['vit', vit, {clip: null}, {}, 1e-4],
  ['vit in bf16', vit, {precision: 'bf16'}, {precision: 'bf16'}, 1e-2],
  ['vit that accumulates', vit, {accumulate: 3}, {}, 1e-4],
  ['resnet by group', {...resnet, norm: 'group', groups: 2}, {}, {}, 1e-3],
  ['resnet by batch', {...resnet, norm: 'batch'}, {}, {statistics: {pictures: 40}}, 1e-3],
];

const losses = z.array(z.looseObject({loss: z.number()}));
const lossesOf = (table: unknown): number[] => losses.parse(table).map(({loss}) => loss);

test.runIf(native).each(CASES)(
  '%s: training, evaluations and a sweep of captured graphs give what single operations give',
  async (_name, config, more, line, tolerance) => {
    if (!native) return;
    await native.setBackend('tensorflow');
    const model = bindModel(config);
    const weights: Weights = {model: model.config, preprocessor, tensors: initialise(model, 1)};
    const training = {data, length: '9it', lr: 3e-3, batch: 16, evaluate_every: 3, ...more};
    const [captured, single] = await Promise.all(
      [native, eager(native)].map(async (tf) => {
        const services = {...recordingServices().services, tf};
        await native.setBackend('tensorflow');
        const params = z.json().parse(await finetune.params.parseAsync(training));
        const tuned = await finetune.run({params, inputs: {weights}, services});
        const points = await Promise.all(
          [0, 0.4, 1].map(async (alpha) =>
            z.json().parse(await interpolate.params.parseAsync({data, alpha, train: 30, ...line})),
          ),
        );
        const along: number[] = [];
        const inputs = {a: weights, b: weightsIn(tuned)};
        for await (const {outputs} of interpolate.runMany?.({points, inputs, services}) ?? [])
          along.push(...lossesOf(outputs.points));
        return {
          losses: lossesOf(tuned.metrics),
          evaluations: lossesOf(tuned.evals),
          along,
        };
      }),
    );
    expect(captured).not.toEqual(single); // two ways, so last bits differ
    expect(captured?.along).toHaveLength(6);
    expect(captured?.evaluations.length).toBeGreaterThanOrEqual(3);
    for (const part of ['losses', 'evaluations', 'along'] as const)
      expect(relativeError(captured?.[part] ?? [], single?.[part] ?? []), part).toBeLessThan(tolerance);
    expect(new Set(captured?.losses).size).toBe(9);
  },
);
