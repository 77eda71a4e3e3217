import {mkdir, open, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOfFile} from '../../../src/base/digested-files.ts';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {type Obstacle, obstacle, type SetupReporter} from '../backend.ts';
import {atLeast, findProgram} from '../machine.ts';
import {CUDA_BYTES, CUDA_WHEELS, type CudaWheel} from './cuda-wheels.ts';
import {type NvidiaDriver, nvidiaDriver, visibleCards} from './nvidia-driver.ts';
import {downloadWithPip, PYTHONS} from './pip-download.ts';
import {wheelMachine} from './wheel-identity.ts';
import {extractEntry, zipEntries} from './zip.ts';

/** NVIDIA, "CUDA Compatibility", table of minor version compatibility: what every CUDA 12 runs on. */
const OLDEST_DRIVER = '525.60.13';

const HINT = '`basin setup --backend cuda` gives CUDA';

/** What stands in the way of CUDA on this machine, found without downloading anything. */
export function cudaObstacle(driver: NvidiaDriver | undefined = nvidiaDriver()): Obstacle | undefined {
  if (wheelMachine() !== 'x86_64')
    return obstacle(
      `CUDA is set up on Linux on x64 only, not on ${process.platform} ${process.arch}`,
      'a PC or server has it',
    );
  if (!driver) return obstacle('no NVIDIA driver is loaded', `a card, its driver from ${OLDEST_DRIVER} on and ${HINT}`);
  if (!atLeast(driver.version, OLDEST_DRIVER))
    return obstacle(`the NVIDIA driver is ${driver.version}`, `a driver from ${OLDEST_DRIVER} on and ${HINT}`);
  if (visibleCards(driver).length === 0)
    return obstacle('no card is visible', `another value of CUDA_VISIBLE_DEVICES and ${HINT}`);
  if (!findProgram(PYTHONS)) return obstacle('there is no Python', `\`apt install python3-pip\` and ${HINT}`, PYTHONS);
  return undefined;
}

/** Libraries in NVIDIA's wheels; TensorFlow's own look for them beside their folder, as `../nvidia/NAME/lib`. */
const LIBRARY = /^nvidia\/[a-z0-9_]+\/lib\/[^/]+\.so[^/]*$/;

/**
 * Downloads NVIDIA's libraries with pip and unpacks them below `folder`; one wheel at a time is on the disk.
 *
 * @returns the paths of the libraries inside `folder`.
 */
export async function unpackCuda(
  folder: string,
  scratch: string,
  report: SetupReporter,
  published: readonly CudaWheel[] = CUDA_WHEELS,
): Promise<Result<readonly string[], Obstacle>> {
  const python = findProgram(PYTHONS);
  if (!python) throw new Error('Internal error: CUDA without a Python passed its check');
  const paths: string[] = [];
  let done = 0;
  for (const {project, version, sha256} of published) {
    const wheels = join(scratch, 'nvidia');
    await mkdir(wheels, {recursive: true});
    const wheel = await downloadWithPip(python, {project, version, folder: wheels}, report, {done, total: CUDA_BYTES});
    if (!wheel.ok) return fail(refused(`${project} ${version} could not be downloaded (pip: ${wheel.error})`));
    if ((await digestOfFile(wheel.value)) !== sha256)
      return fail(refused(`the downloaded ${project} ${version} is not the published one (its SHA-256 differs)`));
    const file = await open(wheel.value);
    try {
      done += (await file.stat()).size;
      for (const entry of (await zipEntries(file)).filter(({name}) => LIBRARY.test(name))) {
        await extractEntry(file, entry, join(folder, entry.name));
        paths.push(entry.name);
      }
    } finally {
      await file.close();
    }
    await rm(wheels, {recursive: true});
  }
  return ok(paths);
}

const refused = (reason: string): Obstacle => obstacle(reason, `a network, pip and ${HINT}`);
