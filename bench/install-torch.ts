import {spawnSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {PYTHONS} from '../stages/tensor/addon/pip-download.ts';
import {findProgram} from '../stages/tensor/machine.ts';
import {TORCH, TORCH_FOLDER} from './torch.ts';

/*
 * Installs the PyTorch that bench/train compares with into a virtual environment among the user's caches, by pip's own
 * settings. About 900 MB with a wheel for processors; pip's standard index has one for NVIDIA cards, several times as large, so
 * point pip (PIP_INDEX_URL, PIP_FIND_LINKS) to wheels for processors first.
 *
 *   bin/basin-node bench/install-torch.ts
 */

const python = findProgram(PYTHONS);
if (python === undefined) {
  console.error('bench/install-torch: no python3 on the PATH. Install Python 3.10 or newer.');
  process.exit(1);
}
mkdirSync(dirname(TORCH_FOLDER), {recursive: true});
const own = join(TORCH_FOLDER, 'bin', 'python');
for (const [program, ...rest] of [
  [python, '-m', 'venv', TORCH_FOLDER],
  [own, '-m', 'pip', 'install', `torch==${TORCH}`, 'numpy'],
  [own, '-c', 'import torch; print("PyTorch", torch.__version__, "is installed.")'],
  ['du', '-sh', TORCH_FOLDER],
] as const) {
  const {status} = spawnSync(program, rest, {stdio: 'inherit'});
  if (status !== 0) process.exit(1);
}
