import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {availableParallelism, cpus, loadavg, tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {encodeArtifact} from '../src/artifact/encode.ts';
import {writeDigested} from '../src/base/digested-files.ts';
import {writeOutputs} from '../src/run/write-outputs.ts';
import {readBlob} from '../src/store/read-blob.ts';
import {blobPath} from '../src/store/store-layout.ts';
import select from '../stages/select.ts';
import {driverMemory} from './artifact/stage-to-stage.ts';
import {spreadOf} from './engine/spread.ts';
import {readOptions} from './options.ts';

/*
 * A large artifact on its way from stage to stage: written with its digest, read and verified, passed on by `select`; beside `dd` and
 * `sha256sum` over the same bytes, in turns. And how much the memory of the driver grows while three stages hand it on.
 *
 *   bin/basin-node bench/artifact.ts [--megabytes 1000] [--rounds 3] [--folder DIR] [--json]
 */

const {values: options} = readOptions(import.meta.filename, {
  options: {
    megabytes: {type: 'string', default: '1000'},
    rounds: {type: 'string', default: '3'},
    folder: {type: 'string', default: tmpdir()},
    json: {type: 'boolean', default: false},
  },
});
const bytes = Math.round(Number(options.megabytes) * 1e6);
const folder = mkdtempSync(join(options.folder, 'basin-artifact-'));
const seconds = async (work: () => unknown): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
};
const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, {stdio: ['ignore', 'ignore', 'ignore']});
};

try {
  const grown = await driverMemory(join(folder, 'stages'), bytes);
  const values = new Float32Array(bytes / 4).map((_, index) => index % 1000);
  const weights = {model: {}, preprocessor: {}, tensors: [{name: 'all', shape: [values.length], values}]};
  const encoded = encodeArtifact({kind: 'weights'}, weights);
  const store = join(folder, 'store');
  const draft = join(folder, 'draft.arrow');
  const copy = join(folder, 'copy');
  const digest = await writeDigested(draft, encoded);
  const blob = blobPath(store, digest);
  mkdirSync(dirname(blob), {recursive: true});
  run('cp', draft, blob);
  const passOn = {
    weights: {axes: {}, digest},
    mask: undefined,
    summary: [{chosen: '', by: '', score: 0, candidates: 1}],
  };
  const inputs = {weights: {many: true, kind: 'weights', members: []}} as const;
  const drafts = join(folder, 'drafts');
  mkdirSync(drafts);
  const cases = [
    {
      name: 'written and digested',
      basin: () => writeDigested(draft, encoded),
      side: 'dd, then sha256sum',
      other: () => {
        run('dd', `if=${blob}`, `of=${copy}`, 'bs=4M');
        run('sha256sum', copy);
      },
      before: () => [draft, copy].map((path) => rmSync(path, {force: true})),
    },
    {
      name: 'read and verified',
      basin: () => readBlob(store, digest),
      side: 'sha256sum',
      other: () => run('sha256sum', blob),
      before: () => {},
    },
    {
      name: 'passed on by select',
      basin: () => writeOutputs({inputs, store}, select, drafts, passOn),
      side: 'sha256sum',
      other: () => run('sha256sum', blob),
      before: () => rmSync(join(drafts, 'weights.arrow'), {force: true}),
    },
  ];
  const cpu = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}`;
  if (!options.json) process.stdout.write(`${cpu}; ${bytes / 1e9} GB in ${options.folder}\n`);
  for (const {name, basin, side, other, before} of cases) {
    const times: {basin: number; other: number}[] = [];
    for (let round = 0; round < Number(options.rounds); round++) {
      before();
      times.push({basin: await seconds(basin), other: await seconds(other)});
    }
    const rate = (of: readonly number[]) => spreadOf(of.map((time) => bytes / 1e9 / time));
    const result = {
      case: name,
      basin_gb_per_s: rate(times.map((time) => time.basin)),
      side,
      side_gb_per_s: rate(times.map((time) => time.other)),
      ratio: spreadOf(times.map((time) => time.other / time.basin)),
    };
    const shown = ({median, low, high}: ReturnType<typeof spreadOf>): string =>
      `${median.toFixed(2)} (${low.toFixed(2)} – ${high.toFixed(2)})`;
    process.stdout.write(
      options.json
        ? `${JSON.stringify(result)}\n`
        : `${name}: ${shown(result.basin_gb_per_s)} GB/s; ${side}: ${shown(result.side_gb_per_s)}; ratio ${shown(result.ratio)}\n`,
    );
  }
  process.stdout.write(
    options.json ? `${JSON.stringify({case: 'driver memory', mib: grown})}\n` : `the driver grew by ${grown} MiB\n`,
  );
} finally {
  rmSync(folder, {recursive: true, force: true});
}
