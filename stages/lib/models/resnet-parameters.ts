import {runningNames} from './batch-norm.ts';
import type {ParameterShape} from './model.ts';
import {blocksOf, type ResnetConfig} from './resnet-config.ts';

export const CLASSIFIER = 'fc';

/** The normalisation that follows a convolution, by the place of both: `conv` is followed by `bn` or `gn`. */
export const normName = (norm: ResnetConfig['norm'], place = ''): string => `${norm === 'batch' ? 'bn' : 'gn'}${place}`;

/**
 * Every parameter, sorted by name; the names are open_lth's, so that its checkpoints fit (`gn` for `bn` under group normalisation).
 * Random weights start as there: weights Kaiming-normal by inputs, gains of batch normalisation uniform in (0, 1), biases
 * of the classifier PyTorch's uniform(±1 / √inputs); gains of group normalisation are 1. Like there, the
 * classifier's weights are pruned too.
 */
export function resnetParameters(config: ResnetConfig): ParameterShape[] {
  const body = {prunable: false, head: false};
  const kaiming = (inputs: number): Pick<ParameterShape, 'init' | 'scale'> => ({
    init: 'normal',
    scale: (2 / inputs) ** 0.5,
  });
  const convolution = (name: string, inputs: number, outputs: number, side: number): ParameterShape => ({
    name: `${name}.weight`,
    shape: [outputs, inputs, side, side],
    ...kaiming(inputs * side ** 2),
    prunable: true,
    head: false,
  });
  const norm = (name: string, channels: number): ParameterShape[] => [
    {name: `${name}.weight`, shape: [channels], init: config.norm === 'batch' ? 'unit' : 'ones', ...body},
    {name: `${name}.bias`, shape: [channels], init: 'zeros', ...body},
    ...(config.norm === 'batch' ? running(name, channels) : []),
  ];
  const running = (name: string, channels: number): ParameterShape[] => [
    {name: runningNames(name).mean, shape: [channels], init: 'zeros', ...body, buffer: true},
    {name: runningNames(name).variance, shape: [channels], init: 'ones', ...body, buffer: true},
  ];
  const {num_channels: channels, width, labels} = config;
  const last = width * 4;
  const all: ParameterShape[] = [
    convolution('conv', channels, width, 3),
    ...norm(normName(config.norm), width),
    ...blocksOf(config).flatMap(({name, inputs, outputs, stride}) => [
      convolution(`${name}.conv1`, inputs, outputs, 3),
      ...norm(`${name}.${normName(config.norm, '1')}`, outputs),
      convolution(`${name}.conv2`, outputs, outputs, 3),
      ...norm(`${name}.${normName(config.norm, '2')}`, outputs),
      ...(stride === 2
        ? [convolution(`${name}.shortcut.0`, inputs, outputs, 1), ...norm(`${name}.shortcut.1`, outputs)]
        : []),
    ]),
    {name: `${CLASSIFIER}.weight`, shape: [labels, last], ...kaiming(last), prunable: true, head: true},
    {name: `${CLASSIFIER}.bias`, shape: [labels], init: 'uniform', scale: last ** -0.5, prunable: false, head: true},
  ];
  return all.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
