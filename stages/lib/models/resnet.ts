import type {Tensor, Tensor2D, Tensor4D} from '@tensorflow/tfjs';
import {type After, addRectify} from '../../tensor/fused/add-rectify.ts';
import {batchNorm, normaliseBy} from '../../tensor/fused/batch-norm.ts';
import {groupNorm} from '../../tensor/fused/group-norm.ts';
import type {Precision} from '../../tensor/fused/product.ts';
import type {Tf} from '../../tensor/library.ts';
import {estimates, runningNames} from './batch-norm.ts';
import {channelsLast, convolve} from './convolution.ts';
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
  /** Normalises by the parameters of this name, and does what comes after. */
  normalise(x: Tensor4D, name: string, after: After): Tensor4D;
}

/** A convolution with the names of its weight and of the normalisation after it. */
interface Layer extends After {
  readonly conv: string;
  readonly norm: string;
  readonly stride: 1 | 2;
}

function layer({tf, parameters, normalise}: Pass, x: Tensor4D, {conv, norm, stride, ...after}: Layer): Tensor4D {
  const weight = parameterOf(parameters, `${conv}.weight`);
  if (!isPicture(weight)) throw new Error(`Internal error: ${conv} is not a convolution`);
  return normalise(convolve(tf, x, weight, stride), norm, after);
}

function run(pass: Pass, pictures: Tensor4D): Tensor2D {
  const {tf, parameters, config, precision} = pass;
  const norm = (place: string): string => normName(config.norm, place);
  const first = layer(pass, channelsLast(tf, pictures), {conv: 'conv', norm: norm(''), stride: 1, rectify: true});
  const last = blocksOf(config).reduce((x, {name, stride}) => {
    const names = (part: '1' | '2') => ({conv: `${name}.conv${part}`, norm: `${name}.${norm(part)}`});
    const inner = layer(pass, x, {...names('1'), stride, rectify: true});
    const residual =
      stride === 1
        ? x
        : layer(pass, x, {conv: `${name}.shortcut.0`, norm: `${name}.shortcut.1`, stride, rectify: false});
    return layer(pass, inner, {...names('2'), stride: 1, residual, rectify: true});
  }, first);
  const features = tf.mean(last, [1, 2]);
  const logits = linear(tf, linearParameters(parameters, CLASSIFIER), features, precision);
  return logits.as2D(pictures.shape[0], config.labels);
}

/** Logits as in evaluation. */
function forward(pass: Omit<Pass, 'normalise'>, pictures: Tensor4D): Tensor2D {
  const {tf, parameters, config} = pass;
  const normalise = (x: Tensor4D, name: string, after: After): Tensor4D => {
    const norm = normOf(parameters, name, EPSILON);
    if (config.norm === 'group') return groupNorm(tf, x, {...norm, ...after, groups: config.groups});
    const names = runningNames(name);
    const [mean, variance] = [parameterOf(parameters, names.mean), parameterOf(parameters, names.variance)];
    return addRectify(tf, normaliseBy(tf, x, {mean, variance}, norm), after);
  };
  return run({...pass, normalise}, pictures);
}

/** Logits as in training under batch normalisation. */
function trainingPass(pass: Omit<Pass, 'normalise'>, pictures: Tensor4D): TrainingPass {
  const {tf, parameters} = pass;
  const statistics: Record<string, Tensor> = {};
  const normalise = (x: Tensor4D, name: string, after: After): Tensor4D => {
    const normalised = batchNorm(tf, x, {...normOf(parameters, name, EPSILON), ...after});
    const names = runningNames(name);
    const {mean, variance} = estimates(tf, normalised.statistics, x);
    statistics[names.mean] = mean;
    statistics[names.variance] = variance;
    return normalised.pictures;
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
