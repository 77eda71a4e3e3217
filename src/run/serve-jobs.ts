import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {decodeArtifact} from '../artifact/decode.ts';
import {encodeArtifact} from '../artifact/encode.ts';
import {gatherRows} from '../artifact/gather.ts';
import {inlineRows} from '../artifact/inline-rows.ts';
import {type ArtifactKind, isTableKind} from '../artifact/kinds.ts';
import type {Digest} from '../base/digest.ts';
import {digestOf} from '../base/digest.ts';
import {UserError} from '../base/user-error.ts';
import {isCandidate, type OutputsByName, type Registry, type Stage, type StageServices} from '../stage/define-stage.ts';
import type {TensorLibrary} from '../stage/tensor-library.ts';
import type {DraftOutput} from '../store/publish.ts';
import {readBlob} from '../store/read-blob.ts';
import {asStoreError} from '../store/store-error.ts';
import {scratchPath} from '../store/store-layout.ts';
import {checkpointsIn, NO_CHECKPOINTS} from './checkpoints.ts';
import {peakMemory, resetPeakMemory} from './peak-memory.ts';
import type {FromWorker, InputReference, Job, JobFailure, JobPoint} from './protocol.ts';

const PROGRESS_INTERVAL_MS = 100;

export interface JobServer {
  readonly registry: Registry;
  /** Loads the tensor library on first use and gives the same one from then on. */
  tensorLibrary(): Promise<TensorLibrary>;
  send(message: FromWorker): void;
}

class DamagedInputs extends Error {
  readonly digests: readonly Digest[];
  constructor(digests: readonly Digest[]) {
    super('inputs are damaged');
    this.digests = digests;
  }
}

/** Reads and decodes a job's inputs; all damaged blobs are found before it gives up. */
async function readInputs({inputs, store}: Job): Promise<Record<string, unknown>> {
  const damaged: Digest[] = [];
  const decoded: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const read = async (digest: Digest): Promise<Uint8Array | undefined> => {
      const bytes = await readBlob(store, digest);
      if (bytes instanceof Uint8Array) return bytes;
      damaged.push(digest);
      return undefined;
    };
    decoded[name] = await readInput(input, read, `The input "${name}"`);
  }
  if (damaged.length > 0) throw new DamagedInputs(damaged);
  return decoded;
}

async function readInput(
  input: InputReference,
  read: (digest: Digest) => Promise<Uint8Array | undefined>,
  name: string,
): Promise<unknown> {
  if (!input.many) {
    const bytes = await read(input.digest);
    return bytes && decodeArtifact(input.kind, bytes, name);
  }
  const {kind} = input;
  if (!isTableKind(kind)) return input.members;
  const members = [];
  for (const {axes, digest} of input.members) {
    const bytes = await read(digest);
    if (bytes) members.push({axes, rows: decodeArtifact(kind, bytes, name)});
  }
  return gatherRows(members);
}

async function writeOutputs(
  {inputs, store}: Job,
  stage: Stage,
  point: JobPoint,
  outputs: OutputsByName,
): Promise<Record<string, DraftOutput>> {
  const written: Record<string, DraftOutput> = {};
  for (const [name, declaration] of Object.entries(stage.outputs)) {
    if (declaration.passes !== undefined && !Object.hasOwn(inputs, declaration.passes)) continue;
    const value = outputs[name];
    const draft = join(point.drafts, `${name}.arrow`);
    if (value !== undefined && isCandidate(value)) {
      written[name] = await passOn(store, declaration.kind, value.digest, draft);
      continue;
    }
    if (value === undefined) throw new Error(`Internal error: stage ${stage.name} gave no "${name}"`);
    const bytes = encodeArtifact(declaration, value);
    await writeFile(draft, bytes);
    const inline = Array.isArray(value) ? inlineRows(value) : undefined;
    written[name] = {
      kind: declaration.kind,
      digest: digestOf(bytes),
      bytes: bytes.byteLength,
      draft,
      ...(Array.isArray(value) && {rows: value.length}),
      ...(inline && {inline}),
    };
  }
  return written;
}

/** A stored artifact's bytes as an output; they are verified, so that damage is found where it is and not below. */
async function passOn(store: string, kind: ArtifactKind, digest: Digest, draft: string): Promise<DraftOutput> {
  const bytes = await readBlob(store, digest);
  if (!(bytes instanceof Uint8Array)) throw new DamagedInputs([digest]);
  await writeFile(draft, bytes);
  return {kind, digest, bytes: bytes.byteLength, draft};
}

function failureOf(error: unknown, signal: AbortSignal): JobFailure {
  if (signal.aborted && error === signal.reason) return {why: 'stopped'};
  if (error instanceof DamagedInputs) return {why: 'damaged-inputs', digests: error.digests};
  if (error instanceof UserError) {
    return {why: 'stage-error', message: error.message, ...(error.hint !== undefined && {hint: error.hint})};
  }
  if (error instanceof Error) {
    return {why: 'crash', message: error.message, ...(error.stack !== undefined && {stack: error.stack})};
  }
  return {why: 'crash', message: String(error)};
}

/** Runs one job to its end and says everything about it, its failure included; never throws. */
export async function serveJob(server: JobServer, job: Job, signal: AbortSignal): Promise<void> {
  const {send} = server;
  try {
    resetPeakMemory();
    const stage = server.registry.get(job.stage);
    if (!stage) throw new Error(`Internal error: the worker knows no stage ${job.stage}`);
    const inputs = await readInputs(job);
    const services = await servicesFor(server, stage, job, signal);
    let started = performance.now();
    const publish = async (index: number, outputs: OutputsByName): Promise<void> => {
      const point = job.points[index];
      if (!point) throw new Error(`Internal error: stage ${stage.name} gave point ${index} of ${job.points.length}`);
      const written = await asStoreError('write a result to', job.store, () =>
        writeOutputs(job, stage, point, outputs),
      );
      const now = performance.now();
      send({
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
    if (stage.runMany && job.points.length > 1) {
      const points = job.points.map((point) => point.params);
      for await (const {index, outputs} of stage.runMany({points, inputs, services})) {
        await publish(index, outputs);
        signal.throwIfAborted();
      }
    } else if (first) {
      await publish(0, await stage.run({params: first.params, inputs, services}));
    }
    send({say: 'done', job: job.id});
  } catch (error) {
    send({say: 'failed', job: job.id, failure: failureOf(error, signal)});
  }
}

async function servicesFor(server: JobServer, stage: Stage, job: Job, signal: AbortSignal): Promise<StageServices> {
  let lastSent = Number.NEGATIVE_INFINITY;
  const [only] = job.points.length === 1 ? job.points : [];
  const warn = (message: string): void => server.send({say: 'warning', job: job.id, message});
  const common = {
    signal,
    checkpoints: only ? checkpointsIn(scratchPath(job.store, only.key), job.store, {signal, warn}) : NO_CHECKPOINTS,
    progress: (progress: Parameters<StageServices['progress']>[0]) => {
      const now = performance.now();
      if (now - lastSent < PROGRESS_INTERVAL_MS && progress.step !== progress.steps) return;
      lastSent = now;
      server.send({say: 'progress', job: job.id, progress});
    },
    log: (line: string) => server.send({say: 'log', job: job.id, line}),
  };
  if (stage.computes === 'tensors') return {...common, tf: await server.tensorLibrary()};
  return {
    ...common,
    get tf(): never {
      throw new Error(`Internal error: stage ${stage.name} computes with tensors but does not declare it`);
    },
  };
}
