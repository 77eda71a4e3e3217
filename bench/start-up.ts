import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {z} from 'zod';
import {MODELS} from './cases.ts';
import {type OwnResult, ownResult} from './result.ts';

/*
 * What a stage costs besides its steps, from the events of a real run with one worker: the first instance of a node loads the
 * tensor library, the others find the worker warm. A training of no step starts, evaluates one picture and is stored; one
 * of a single step also records it. A part of bench/train.
 */

const INSTANCES = 6;
const finished = z.object({
  event: z.literal('instance-finished'),
  id: z.string(),
  outcome: z.literal('ran'),
  seconds: z.number(),
});

const training = (length: string) => ({
  uses: 'finetune',
  in: {weights: 'weights.weights'},
  with: {data: {name: 'mnist', limit: {train: 64, test: 1}}, lr: 1e-4, length, batch: 32},
  sweep: {seed: Array.from({length: INSTANCES}, (_, seed) => seed)},
});

/** Runs a pipeline for each network and reads the times off its events: from dispatch to stored, of instances that found the worker warm. */
export function startUps(): readonly OwnResult[] {
  const folder = mkdtempSync(join(tmpdir(), 'basin-bench-'));
  try {
    return (['D64-L4', 'D192-L12'] as const).flatMap((name) => startUpOf(name, folder));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function startUpOf(name: string, folder: string): readonly OwnResult[] {
  const file = join(folder, `${name}.yaml`);
  const weights = {uses: 'pretrain-load', with: {source: 'random', seed: 0, model: MODELS[name]}};
  const pipeline = {name: 'start-up', stages: {weights, none: training('0it'), one: training('1it')}};
  writeFileSync(file, JSON.stringify(pipeline)); // JSON is YAML
  const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  const command = [main, 'run', file, '--json', '--jobs', '1', '--cache', join(folder, name)];
  const {stdout, status} = spawnSync(process.execPath, command, {encoding: 'utf8'});
  if (status !== 0) throw new Error(`The run failed: ${stdout.slice(-2000)}`);
  const instances = stdout.split('\n').flatMap((line) => {
    const event = finished.safeParse(line === '' ? undefined : JSON.parse(line));
    return event.success ? [event.data] : [];
  });
  return (['none', 'one'] as const).map((node) => {
    const warm = instances.filter(({id}) => id.startsWith(`${node}[`)).slice(1);
    const times = warm.map(({seconds}) => 1000 * seconds);
    return ownResult(`${name}.start.${node === 'none' ? 'no-step' : 'one-step'}`, times);
  });
}
