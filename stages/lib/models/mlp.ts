import type {Tensor} from '@tensorflow/tfjs';
import {z} from 'zod';
import type {Precision} from '../../tensor/fused/product.ts';
import {linear, linearOfData, linearParameters} from './layers.ts';
import type {Model, ParameterShape} from './model.ts';

const size = (doc: string) => z.int().min(1).max(65_536).describe(doc);

/** A fully connected network; the defaults are LeNet-300-100 on MNIST (LeCun et al. 1998; open_lth `mnist_lenet_300_100`). */
export const mlpConfigSchema = z.strictObject({
  model: z.literal('mlp'),
  labels: size('Number of classes.').default(10),
  image_size: size('Height and width of a picture, in pixels.').default(28),
  num_channels: size('Channels of a picture.').default(1),
  hidden: z
    .array(size('Width of a hidden layer.'))
    .max(64)
    .describe('Widths of the hidden layers.')
    .default([300, 100]),
});

export type MlpConfig = z.output<typeof mlpConfigSchema>;

/**
 * Every parameter, sorted by name. Random weights start as open_lth's `kaiming_normal`: weights normal(0, √(2 / inputs)),
 * biases PyTorch's own uniform(±1 / √inputs). Like there, the classifier is not pruned.
 */
function mlpParameters(config: MlpConfig): ParameterShape[] {
  const widths = [config.num_channels * config.image_size ** 2, ...config.hidden];
  const layer = (name: string, inputs: number, outputs: number, head: boolean): ParameterShape[] => [
    {name: `${name}.bias`, shape: [outputs], init: 'uniform', scale: inputs ** -0.5, prunable: false, head},
    {
      name: `${name}.weight`,
      shape: [outputs, inputs],
      init: 'normal',
      scale: (2 / inputs) ** 0.5,
      prunable: !head,
      head,
    },
  ];
  const hidden = config.hidden.flatMap((outputs, index) => layer(`fc${index + 1}`, widths[index] ?? 0, outputs, false));
  const head = layer('classifier', widths.at(-1) ?? 0, config.labels, true);
  return [...hidden, ...head].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Flattened pictures → hidden layers with ReLU → logits. */
export function mlp(config: MlpConfig, precision: Precision): Model {
  return {
    config: {...config},
    parameters: mlpParameters(config),
    channels: config.num_channels,
    imageSize: config.image_size,
    labels: config.labels,
    dropout: 0,
    forward: (tf, parameters, pictures) =>
      tf.tidy(() => {
        const batch = pictures.shape[0];
        const names = [...config.hidden.map((_, layer) => `fc${layer + 1}`), 'classifier'];
        const rows = names.reduce<Tensor>(
          (x, name, layer) =>
            layer === 0
              ? linearOfData(tf, linearParameters(parameters, name), x, precision)
              : linear(tf, linearParameters(parameters, name), tf.relu(x), precision),
          tf.reshape(pictures, [batch, -1]),
        );
        return rows.as2D(batch, config.labels);
      }),
  };
}
