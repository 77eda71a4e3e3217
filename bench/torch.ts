import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {userCacheFolder} from '../stages/tensor/machine.ts';
import type {Case} from './cases.ts';
import {Side} from './side.ts';
import {ALPHAS, INTERVAL, LEARNING_RATE} from './work.ts';

export const TORCH = '2.13.0';
export const TORCH_FOLDER = join(userCacheFolder(), 'bench', `torch-${TORCH}`);
const PYTHON = join(TORCH_FOLDER, 'bin', 'python');

/** Whether bench/install-torch.ts has been run. */
export const torchInstalled = (): boolean => existsSync(PYTHON);

/**
 * The forms of the PyTorch side: `eager` as one writes it; `trimmed` computes of the last block only what the class token needs, as
 * ours does; `compiled` is torch.compile of the first.
 */
export const TORCH_FORMS = ['eager', 'trimmed', 'compiled'] as const;
export type TorchForm = (typeof TORCH_FORMS)[number];

export const torchName = (form: TorchForm, {precision}: Case): string =>
  `PyTorch ${TORCH} ${form}${precision === 'bf16' ? ', autocast' : ''}`;

interface TorchOptions {
  readonly form: TorchForm;
  readonly threads: number;
  /** Whether it first looks which optimizer, or which batch of an evaluation, is fastest here. */
  readonly tuned: boolean;
}

/** PyTorch at a case's work, over the material in a folder. */
export function torchSide(folder: string, one: Case, {form, threads, tuned}: TorchOptions): Side {
  const options = {
    folder,
    work: one.work,
    precision: one.precision,
    batch: one.batch,
    lr: LEARNING_RATE,
    interval: INTERVAL,
    keep: 0.8,
    alphas: ALPHAS,
    trimmed: form === 'trimmed',
    compiled: form === 'compiled',
    threads,
    tuned,
  };
  return new Side(PYTHON, [fileURLToPath(new URL('python/peer.py', import.meta.url)), JSON.stringify(options)]);
}
