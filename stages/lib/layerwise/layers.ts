import type {Tensor4D} from '@tensorflow/tfjs';
import type {Tf} from '../../tensor/library.ts';
import type {Model, ParameterTensors} from '../models/model.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';

/** `module`: weight and bias of one module; `block`: all of one numbered block; `tensor`: each by itself. */
export const GROUPINGS = ['module', 'block', 'tensor'] as const;
type Grouping = (typeof GROUPINGS)[number];

/** A part of a network that is moved as one. */
export interface Layer {
  readonly name: string;
  /** Stretches of the flat vector. */
  readonly parts: readonly {readonly offset: number; readonly size: number}[];
  readonly size: number;
}

/** The layer that a tensor belongs to. */
function layerName(tensor: string, grouping: Grouping): string {
  const module = tensor.slice(0, Math.max(tensor.lastIndexOf('.'), 0)) || tensor;
  switch (grouping) {
    case 'tensor':
      return tensor;
    case 'module':
      return module;
    case 'block':
      return /^.*?\.\d+(?=\.)/.exec(tensor)?.[0] ?? module;
  }
}

/**
 * The layers of a network, shallow ones first: in the order in which the forward pass comes to use their first tensor. Running
 * statistics are in none: they follow from the weights and the data.
 */
export function layersOf(tf: Tf, model: Model, layout: ParameterLayout, grouping: Grouping): readonly Layer[] {
  const trained = layout.entries.filter(({offset}) => offset < layout.trainable);
  const entries = new Map(trained.map((entry) => [entry.name, entry]));
  const ordered = new Set([...orderOfUse(tf, model, layout), ...entries.keys()]);
  const groups = Map.groupBy(
    [...ordered].filter((tensor) => entries.has(tensor)),
    (tensor) => layerName(tensor, grouping),
  );
  return [...groups].map(([name, tensors]) => {
    const parts = tensors.flatMap((tensor) => entries.get(tensor) ?? []);
    return {name, parts, size: parts.reduce((sum, {size}) => sum + size, 0)};
  });
}

/** Names of tensors in the order in which a forward pass asks for them. It is the one place where a model of any kind says what comes first. */
function orderOfUse(tf: Tf, model: Model, layout: ParameterLayout): readonly string[] {
  const used = new Set<string>();
  tf.tidy(() => {
    const parameters: ParameterTensors = Object.fromEntries(
      layout.entries.map(({name, shape}) => [name, tf.ones([...shape])]),
    );
    const watched = new Proxy(parameters, {
      get(tensors, name) {
        if (typeof name === 'string') used.add(name);
        return Reflect.get(tensors, name);
      },
    });
    const picture: Tensor4D = tf.zeros([1, model.channels, model.imageSize, model.imageSize]);
    model.forward(tf, watched, picture);
  });
  return [...used];
}
