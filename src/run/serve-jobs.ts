import {existsSync} from 'node:fs';
import {join, sep} from 'node:path';
import {asError} from '../base/thrown.ts';
import {UserError} from '../base/user-error.ts';
import type {OutputsByName, Stage, StageServices} from '../stage/define-stage.ts';
import {withoutMarks} from '../stage/import-error.ts';
import {noteModules} from '../stage/module-reference.ts';
import {withPinned} from '../stage/pinned-files.ts';
import {CommandError} from '../stage/run-command.ts';
import type {TensorLibrary} from '../stage/tensor-library.ts';
import {asStoreError, isFullDisk, storeError, systemCode} from '../store/store-error.ts';
import {scratchPath} from '../store/store-layout.ts';
import {allWritten} from './all-written.ts';
import {checkpointsIn, NO_CHECKPOINTS} from './checkpoints.ts';
import {DamagedInputs} from './damaged-inputs.ts';
import {makeDraftFolder} from './draft-folder.ts';
import {wrongPoints} from './given-output.ts';
import {HandedFiles} from './handed-files.ts';
import {checkHeld, heldFiles} from './held-files.ts';
import {type StageSource, stageOfJob} from './job-stage.ts';
import {peakMemory, resetPeakMemory} from './peak-memory.ts';
import {underThisMask} from './process-state.ts';
import type {FromWorker, Job, JobFailure} from './protocol.ts';
import {readInputs} from './read-inputs.ts';
import {writeOutputs} from './write-outputs.ts';

const PROGRESS_INTERVAL_MS = 100;

/** What a worker computes tensors with. */
export interface Tensors {
  /** Loads the tensor library on first use and gives the same one from then on. */
  library(): Promise<TensorLibrary>;
  /** What is computed from now on belongs to another job. */
  begin(): void;
  /**
   * Asked before a result is written.
   *
   * @throws where what was computed since `begin` is not what the stage's functions say.
   */
  check(): Promise<void>;
}

export interface JobServer {
  readonly stages: StageSource;
  readonly tensors: Tensors;
  send(message: FromWorker): void;
}

export interface JobSignals {
  /** The run is being stopped. */
  readonly stop: AbortSignal;
  /** The time of a point is over; the reason says so. */
  readonly timeOver: AbortSignal;
}

/** Where a full disk may be another than the store's, an error has to name a file of the store. */
function isFullStore(error: unknown, {stage, store}: Job): boolean {
  if (!isFullDisk(error)) return false;
  const file = error.dest ?? error.path;
  return file === undefined ? stage.origin.from !== 'file' : file.startsWith(store + sep);
}

function failureOf(thrown: unknown, job: Job, stop: AbortSignal): JobFailure {
  try {
    const known = knownFailure(thrown, job, stop);
    if (known) return known;
  } catch {
    // It throws again when it is asked what it is.
  }
  const {message, stack} = asError(thrown);
  return {why: 'crash', message, ...(stack !== undefined && {stack: withoutMarks(stack)})};
}

function knownFailure(thrown: unknown, job: Job, stop: AbortSignal): JobFailure | undefined {
  const error = isFullStore(thrown, job) ? storeError(thrown, 'write to', job.store) : thrown;
  if (stop.aborted && error === stop.reason) return {why: 'stopped'};
  if (error instanceof DamagedInputs) return {why: 'damaged-inputs', digests: error.digests};
  if (!(error instanceof UserError)) return undefined;
  return {
    why: 'stage-error',
    message: error.message,
    ...(error.hint !== undefined && {hint: error.hint}),
    ...(error instanceof CommandError && {program: {tail: error.tail}}),
  };
}

/** Runs one job to its end and says everything about it, its failure included; never throws. */
export const serveJob = (server: JobServer, job: Job, signals: JobSignals): Promise<void> =>
  withPinned(job.pinned, () => serve(server, job, signals));

async function serve(server: JobServer, job: Job, {stop, timeOver}: JobSignals): Promise<void> {
  const {send} = server;
  const signal = AbortSignal.any([stop, timeOver]);
  if (job.timeOut !== undefined) send({say: 'begun', job: job.id});
  const handed = new HandedFiles(job);
  let end: FromWorker = {say: 'done', job: job.id};
  try {
    await compute(server, job, signal, handed);
  } catch (error) {
    // A stage may well fail when an input is gone under its hands.
    const replaced = signal.aborted ? [] : handed.replaced();
    const cause = replaced.length > 0 ? new DamagedInputs(replaced) : error;
    end = {say: 'failed', job: job.id, failure: failureOf(cause, job, stop)};
  } finally {
    handed.close();
  }
  await allWritten();
  send(end);
}

/** Tells of every point as it comes. */
async function compute(server: JobServer, job: Job, signal: AbortSignal, handed: HandedFiles): Promise<void> {
  // A mask that the stage sets is none for the store's files.
  const underOurMask = underThisMask();
  resetPeakMemory();
  server.tensors.begin();
  noteModules(job.modules);
  const stage = await stageOfJob(job.stage, server.stages);
  const inputs = await readInputs(job, stage, handed);
  const held = await heldFiles(job, stage);
  const services = await servicesFor(server, stage, job, signal, underOurMask);
  let started = performance.now();
  const given = new Set<number>();
  const publish = async (index: number, outputs: OutputsByName): Promise<void> => {
    const point = job.points[index];
    if (!point || given.has(index))
      throw wrongPoints(stage, `point ${index}${point ? ' twice' : ''}, of ${job.points.length}`);
    given.add(index);
    await handed.check();
    await checkHeld(held);
    if (stage.computes === 'tensors') await server.tensors.check();
    const written = await asStoreError('write a result to', job.store, () =>
      underOurMask(() => inFolder(point.drafts, job, () => writeOutputs(job, stage, point.drafts, outputs))),
    );
    const now = performance.now();
    server.send({
      say: 'point',
      job: job.id,
      point: index,
      outputs: written,
      seconds: (now - started) / 1000,
      peakMemory: peakMemory(),
    });
    started = now;
  };
  const [first] = job.points;
  const {run, runMany} = stage.checked;
  if (runMany && job.points.length > 1) {
    const points = job.points.map((point) => point.params);
    for await (const {index, outputs} of runMany({points, inputs, services})) {
      await publish(index, outputs);
      signal.throwIfAborted();
    }
    if (given.size < points.length) throw wrongPoints(stage, `only ${given.size} of ${points.length} points`);
  } else if (first) {
    await publish(0, await run({params: first.params, inputs, services}));
  }
}

/** Somebody may have emptied `tmp/`: what was long in coming is not lost for that. */
async function inFolder<T>(folder: string, job: Job, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || existsSync(folder)) throw error;
    makeDraftFolder(folder, job);
    return write();
  }
}

async function servicesFor(
  server: JobServer,
  stage: Stage,
  job: Job,
  signal: AbortSignal,
  underOurMask: ReturnType<typeof underThisMask>,
): Promise<StageServices> {
  let lastSent = Number.NEGATIVE_INFINITY;
  let folders = 0;
  const [only] = job.points.length === 1 ? job.points : [];
  const warn = (message: string): void => server.send({say: 'warning', job: job.id, message});
  const common = {
    signal,
    checkpoints: only
      ? checkpointsIn(scratchPath(job.store, only.key), job.store, {signal, warn}, underOurMask)
      : NO_CHECKPOINTS,
    progress: (progress: Parameters<StageServices['progress']>[0]) => {
      const now = performance.now();
      if (now - lastSent < PROGRESS_INTERVAL_MS && progress.step !== progress.steps) return;
      lastSent = now;
      server.send({say: 'progress', job: job.id, progress});
    },
    log: (line: string) => server.send({say: 'log', job: job.id, line}),
    folder: async () => {
      const folder = join(job.points[0]?.drafts ?? '', `folder-${folders++}`);
      await underOurMask(async () => makeDraftFolder(folder, job));
      return folder;
    },
  };
  if (stage.computes === 'tensors') return {...common, tf: await server.tensors.library()};
  return {
    ...common,
    get tf(): never {
      throw new Error(`Internal error: stage ${stage.name} computes with tensors but does not declare it`);
    },
  };
}
