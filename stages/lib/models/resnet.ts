import type {Tensor, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import type {Precision} from '../../tensor/fused/product.ts';
import type {Tf} from '../../tensor/library.ts';
import {batchStatistics, estimates, normaliseBy, runningNames} from './batch-norm.ts';
import {channelsLast, convolve} from './convolution.ts';
import {groupNorm} from './group-norm.ts';
import {linear, linearParameters, normOf, parameterOf} from './layers.ts';
import type {Model, ParameterTensors, TrainingPass} from './model.ts';
import {blocksOf, type ResnetConfig} from './resnet-config.ts';
import {CLASSIFIER, normName, resnetParameters} from './resnet-parameters.ts';

/** PyTorch's default of both normalisations. */
const EPSILON = 1e-5;

const isPicture = (tensor: Tensor): tensor is Tensor4D => tensor.rank === 4;

/** A batch on its way through the network, and how it is normalised. */
interface Pass {
  readonly tf: Tf;
  readonly parameters: ParameterTensors;
  readonly config: ResnetConfig;
  /** Of linear layers; convolutions are always in float32. */
  readonly precision: Precision;
  /** Normalises by the parameters of this name. */
  normalise(x: Tensor4D, name: string): Tensor4D;
}

/** A convolution by the name of its weight, and the normalisation after it. */
function layer({tf, parameters, normalise}: Pass, x: Tensor4D, conv: string, norm: string, stride: 1 | 2): Tensor4D {
  const weight = parameterOf(parameters, `${conv}.weight`);
  if (!isPicture(weight)) throw new Error(`Internal error: ${conv} is not a convolution`);
  return normalise(convolve(tf, x, weight, stride), norm);
}

function run(pass: Pass, pictures: Tensor4D): Tensor2D {
  const {tf, parameters, config, precision} = pass;
  const norm = (place: string): string => normName(config.norm, place);
  const first = tf.relu(layer(pass, channelsLast(tf, pictures), 'conv', norm(''), 1));
  const last = blocksOf(config).reduce((x, {name, stride}) => {
    const inner = tf.relu(layer(pass, x, `${name}.conv1`, `${name}.${norm('1')}`, stride));
    const outer = layer(pass, inner, `${name}.conv2`, `${name}.${norm('2')}`, 1);
    const shortcut = stride === 1 ? x : layer(pass, x, `${name}.shortcut.0`, `${name}.shortcut.1`, stride);
    return tf.relu(tf.add(outer, shortcut));
  }, first);
  const features = tf.mean(last, [1, 2]);
  const logits = linear(tf, linearParameters(parameters, CLASSIFIER), features, precision);
  return logits.as2D(pictures.shape[0], config.labels);
}

/** Logits as in evaluation. */
function forward(pass: Omit<Pass, 'normalise'>, pictures: Tensor4D): Tensor2D {
  const {tf, parameters, config} = pass;
  const normalise = (x: Tensor4D, name: string): Tensor4D => {
    const norm = normOf(parameters, name, EPSILON);
    if (config.norm === 'group') return groupNorm(tf, x, config.groups, norm);
    const names = runningNames(name);
    const [mean, variance] = [parameterOf(parameters, names.mean), parameterOf(parameters, names.variance)];
    return normaliseBy(tf, x, {mean, variance}, norm);
  };
  return run({...pass, normalise}, pictures);
}

/** Logits as in training under batch normalisation. */
function trainingPass(pass: Omit<Pass, 'normalise'>, pictures: Tensor4D): TrainingPass {
  const {tf, parameters} = pass;
  const statistics: Record<string, Tensor> = {};
  const normalise = (x: Tensor4D, name: string): Tensor4D => {
    const found = batchStatistics(tf, x);
    const names = runningNames(name);
    const {mean, variance} = estimates(tf, found, x);
    statistics[names.mean] = mean;
    statistics[names.variance] = variance;
    return normaliseBy(tf, x, found, normOf(parameters, name, EPSILON));
  };
  return {logits: run({...pass, normalise}, pictures), statistics};
}

/**
 * open_lth's `cifar_resnet_N_W`: a convolution, three segments of blocks of two, the mean over the picture, a linear classifier. Where
 * channels double, the shortcut is a convolution of its own (He et al.'s option B).
 */
export function resnet(config: ResnetConfig, precision: Precision): Model {
  return {
    config: {...config},
    parameters: resnetParameters(config),
    channels: config.num_channels,
    imageSize: config.image_size,
    labels: config.labels,
    dropout: 0,
    forward: (tf, parameters, pictures) => tf.tidy(() => forward({tf, parameters, config, precision}, pictures)),
    ...(config.norm === 'batch' && {
      trainingPass: (tf: Tf, parameters: ParameterTensors, pictures: Tensor4D) =>
        tf.tidy(() => ({...trainingPass({tf, parameters, config, precision}, pictures)})),
    }),
  };
}
