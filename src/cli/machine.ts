import {readdirSync} from 'node:fs';
import {availableParallelism, totalmem} from 'node:os';
import {namedCards} from '../../stages/tensor/addon/nvidia-driver.ts';
import type {BackendName} from '../../stages/tensor/backend.ts';
import type {Manifest} from '../../stages/tensor/manifest.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Graph} from '../graph/graph.ts';
import type {Plan} from '../plan/verdict.ts';
import type {Machine} from '../run/ledger.ts';
import {unmetDemands} from '../run/unmet-demands.ts';
import {amountOf, describeAmount} from '../spec/resources.ts';
import {commandFault} from './faults.ts';
import {defaultJobs, threadsEach} from './pool-setting.ts';

/** Each is counted by itself. No machine has so many; who writes more meant another resource. */
const MOST_GPUS = 1024;

/** Ids as CUDA has them: those that the user leaves visible, else a number for each device file of the driver. */
function gpuIds(): readonly string[] {
  const visible = process.env.CUDA_VISIBLE_DEVICES;
  if (visible !== undefined) return namedCards(visible);
  if (process.platform !== 'linux') return [];
  return readdirSync('/dev')
    .filter((name) => /^nvidia\d+$/.test(name))
    .map((_, index) => String(index));
}

/** Of the container's share where there is one. */
function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** What this machine has for so many instances side by side, where `--resources NAME=AMOUNT,…` says otherwise by that. */
function findMachine(given: readonly string[], jobs: number): Result<Machine> {
  const faults: Diagnostic[] = [];
  const said = new Map<string, number>();
  for (const part of given.flatMap((one) => one.split(','))) {
    const [, name = '', written = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const amount = written === '0' ? 0 : amountOf(name, written);
    if (amount !== undefined && (name !== 'gpu' || (Number.isInteger(amount) && amount <= MOST_GPUS)))
      said.set(name, amount);
    else faults.push(resourceFault(part, name));
  }
  if (faults.length > 0) return fail(faults);
  const {gpu, ...amounts} = Object.fromEntries(said);
  const found = gpuIds();
  const gpus = gpu === undefined ? found : Array.from({length: gpu}, (_, index) => found[index] ?? String(index));
  const threads = threadsEach(jobs);
  const mostThreads = Math.max(availableParallelism(), jobs * threads);
  const has = {threads: mostThreads, memory: memoryBytes(), ...amounts};
  // Nobody asked for a share of threads, so it may not be more than there is: it would wait for ever.
  return ok({gpus, amounts: has, each: {threads: Math.min(threads, has.threads)}});
}

/** Two processes on one card take turns and share its memory, so under `cuda` a card is for one at a time. */
const forTensors = ({gpus}: Machine, backend: BackendName | undefined): Pick<Machine, 'tensors'> =>
  backend === 'cuda' && gpus.length > 0 ? {tensors: {gpu: 1}} : {};

/** The machine for a plan; the error is every demand of what will run that it can never meet. */
export function machineFor(
  {
    graph,
    plan,
    manifest,
  }: {readonly graph: Graph; readonly plan: Plan; readonly manifest?: Pick<Manifest, 'backend'> | undefined},
  wanted: ReadonlySet<number>,
  given: readonly string[] = [],
  jobs = defaultJobs(),
): Result<Machine> {
  const machine = findMachine(given, jobs);
  if (!machine.ok) return machine;
  const unmet = unmetDemands(graph, plan, wanted, machine.value);
  return unmet.length > 0 ? fail(unmet) : ok({...machine.value, ...forTensors(machine.value, manifest?.backend)});
}

function resourceFault(part: string, name: string): Diagnostic {
  if (name === '')
    return commandFault(`--resources takes NAME=AMOUNT, not "${part}".`, 'As in --resources gpu=2,memory=64GB.');
  const what = name === 'gpu' ? `a whole number of at most ${MOST_GPUS}` : describeAmount(name).what;
  return commandFault(
    `--resources: the amount of "${name}" must be ${what}, not "${part.slice(part.indexOf('=') + 1)}".`,
    'As in --resources gpu=2,memory=64GB.',
  );
}
