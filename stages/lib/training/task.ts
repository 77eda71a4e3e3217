import type {Tensor1D} from '@tensorflow/tfjs';
import type {NamedTensor, Weights} from '../../../src/artifact/kinds.ts';
import {StageError, type StageServices} from '../../../src/stage/define-stage.ts';
import type {Precision} from '../../tensor/fused/product.ts';
import {allFinite} from '../all-finite.ts';
import {checkClassNames} from '../data/class-names.ts';
import type {DataSetValue} from '../data/data-set-value.ts';
import {type DataSet, loadDataSet} from '../data/load-data-set.ts';
import type {Pictures} from '../data/pictures.ts';
import {type Evaluation, type Example, evaluate, logitsFunction, type Network} from '../evaluate.ts';
import {loadModel} from '../models/registry.ts';
import {bindPreprocessor} from '../pictures/preprocessor.ts';
import {precisionNotes} from '../precision.ts';
import {choosePrunable, type Prunable} from '../pruning/prunable.ts';
import {abortableBreather} from './breather.ts';
import {layoutOf, type ParameterLayout, pack, unpack} from './parameter-layout.ts';

/** A network and a data set that fit each other. */
export interface Task extends Network {
  readonly weights: Weights;
  readonly layout: ParameterLayout;
  readonly data: DataSet;
  /** The weights as one vector. */
  readonly start: Float32Array;
}

/** Loads the data set and checks that the weights' model can classify it. */
export async function bindTask(
  weights: Weights,
  {
    data: value,
    precision,
    prunable,
  }: {readonly data: DataSetValue; readonly precision: Precision; readonly prunable?: Prunable},
  services: StageServices,
): Promise<Task> {
  const model = await loadModel(weights.model, precision);
  const data = await loadDataSet(value);
  for (const note of [...data.notes, ...precisionNotes(services.tf, weights.model, precision)]) services.log(note);
  if (data.classes !== model.labels) {
    throw new StageError(
      `The network has ${model.labels} outputs, and the data set ${data.name} has ${data.classes} classes here.`,
      `Give the network a fresh head: pretrain-load with {source: upstream, labels: ${data.classes}, head_seed: 0}.`,
    );
  }
  const names = checkClassNames(model.config, value);
  if (names !== undefined) services.log(names);
  const layout = layoutOf(choosePrunable(model.parameters, prunable));
  return {
    weights,
    model,
    layout,
    data,
    logits: logitsFunction(services.tf, model, layout),
    preprocessing: bindPreprocessor(weights.preprocessor, model, data.train),
    start: pack(layout, weights.tensors),
  };
}

/** Evaluates a flat vector of the task's parameters. */
export const evaluateFlat = (
  task: Task,
  flat: Tensor1D,
  pictures: Pictures,
  {tf, signal}: StageServices,
  note?: (example: Example) => void,
): Promise<Evaluation> => evaluate(tf, task, flat, pictures, abortableBreather(signal), note);

/** The task's network with other parameters, which must be finite. */
export function weightsOf(task: Task, flat: Float32Array): Weights {
  const tensors: NamedTensor[] = unpack(task.layout, flat);
  const broken = tensors.find(({values}) => !allFinite(values));
  if (broken) {
    throw new StageError(
      `Training ended with values in ${broken.name} that are not finite.`,
      'Lower lr, or clip gradients.',
    );
  }
  return {model: task.weights.model, preprocessor: task.weights.preprocessor, tensors};
}
