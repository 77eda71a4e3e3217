import {cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll} from 'vitest';
import type {Row, Weights} from '../../src/artifact/kinds.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import stage from '../../stages/pretrain-load.ts';
import {safetensorsFile, trustedTensors} from './safetensors.ts';
import {withBackend} from './tensor-backends.ts';

const folder = mkdtempSync(join(tmpdir(), 'basin-checkpoints-'));
afterAll(() => rmSync(folder, {recursive: true}));

/** The folder of a checkpoint that transformers wrote. */
export const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/hf-vit/${name}`, import.meta.url));

/** A copy of a fixture that a test may break. */
export function copyOf(name: string, change: (config: Record<string, unknown>) => void = () => {}): string {
  const path = mkdtempSync(join(folder, 'copy-'));
  cpSync(fixture(name), path, {recursive: true});
  const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
  change(config);
  writeFileSync(join(path, 'config.json'), JSON.stringify(config));
  return path;
}

interface Written {
  readonly dtype: 'F32' | 'F16' | 'BF16';
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** A safetensors file of these tensors, one behind the other. */
export function writeTensors(file: string, tensors: readonly (readonly [name: string, tensor: Written])[]): void {
  let end = 0;
  const header = tensors.map(([name, {dtype, shape, data}]) => {
    const begin = end;
    end += data.byteLength;
    return [name, {dtype, shape, data_offsets: [begin, end]}];
  });
  const data = Buffer.concat(tensors.map(([, tensor]) => tensor.data));
  writeFileSync(file, safetensorsFile(JSON.stringify(Object.fromEntries(header)), data));
}

/** The tensors of a folder's model.safetensors as they can be written again. */
export const tensorsOf = (path: string): [name: string, tensor: Written][] =>
  Object.entries(trustedTensors(new URL(`file://${join(path, 'model.safetensors')}`))).map(([name, tensor]) => [
    name,
    {dtype: 'F32', shape: tensor.shape, data: new Uint8Array(tensor.values.buffer)},
  ]);

/** The tensors of a folder written anew, as another program would have named or left them out. */
export function rename(path: string, change: (name: string) => string | undefined): void {
  const renamed = tensorsOf(path).flatMap(([name, tensor]): [string, Written][] => {
    const other = change(name);
    return other === undefined ? [] : [[other, tensor]];
  });
  writeTensors(join(path, 'model.safetensors'), renamed);
}

/** What `pretrain-load` gives, and the lines of its log. */
export async function pretrained(
  params: JsonObject,
  weights?: Weights,
): Promise<{weights: Weights; summary: Row | undefined; lines: readonly string[]}> {
  const lines: string[] = [];
  const inputs = weights === undefined ? {} : {weights};
  const services = {
    tf: await withBackend('cpu'),
    signal: new AbortController().signal,
    checkpoints: NO_CHECKPOINTS,
    progress() {},
    log: (line: string) => void lines.push(line),
    folder: () => Promise.reject(new Error('this stage was meant to need no folder')),
  };
  const {weights: loaded, summary} = await stage.run({params, inputs, services});
  if (!loaded || !('preprocessor' in loaded) || !summary || !('map' in summary))
    throw new Error('not what it declares');
  return {weights: loaded, summary: summary[0], lines};
}
