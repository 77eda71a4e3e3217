import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {NamedTensor} from '../src/artifact/kinds.ts';
import {loadDataSet} from '../stages/lib/data/load-data-set.ts';
import {permutation} from '../stages/lib/data/permutation.ts';
import {bindModel} from '../stages/lib/models/registry.ts';
import {batchBuffer, fillBatch} from '../stages/lib/pictures/batch.ts';
import {bindPreprocessor} from '../stages/lib/pictures/preprocessor.ts';
import type {Case} from './cases.ts';
import {dataOf, weightsOf} from './work.ts';

/**
 * Writes what the peer needs to do the same work: starting weights, the other end of the line, the pictures preprocessed as
 * our stages do it, labels, and the order of an epoch.
 */
export async function writeMaterial(folder: string, one: Case): Promise<void> {
  mkdirSync(folder, {recursive: true});
  const model = bindModel({...one.config});
  const {train, test} = await loadDataSet(dataOf(one));
  const pictures = one.pictures > 0 ? test : train;
  const preprocessing = bindPreprocessor({}, model, pictures);
  const buffer = batchBuffer(preprocessing, pictures.n);
  fillBatch(
    buffer,
    pictures,
    Array.from({length: pictures.n}, (_, index) => index),
    preprocessing,
  );
  writeFileSync(join(folder, 'pictures.f32'), buffer.pixels);
  writeFileSync(join(folder, 'weights.f32'), joined(weightsOf(one, 0).tensors));
  writeFileSync(join(folder, 'other.f32'), joined(weightsOf(one, 1).tensors));
  const about = {
    config: model.config,
    parameters: weightsOf(one, 0).tensors.map(({name, shape}) => [name, shape]),
    prunable: model.parameters.filter(({prunable}) => prunable).map(({name}) => name),
    pictures: [pictures.n, model.channels, model.imageSize, model.imageSize],
    labels: Array.from(buffer.labels),
    order: Array.from(permutation(train.n, 0, 'order', 0)),
  };
  writeFileSync(join(folder, 'about.json'), JSON.stringify(about));
}

function joined(tensors: readonly NamedTensor[]): Float32Array {
  const all = new Float32Array(tensors.reduce((sum, {values}) => sum + values.length, 0));
  let offset = 0;
  for (const {values} of tensors) {
    all.set(values, offset);
    offset += values.length;
  }
  return all;
}
