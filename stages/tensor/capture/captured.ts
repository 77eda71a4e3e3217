import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Tf} from '../library.ts';
import {inputNode, outputNode, savedModel, TAG} from './graph-def.ts';
import {isNodeBackend, type NodeBackend} from './node-backend.ts';
import {record, type TensorFunction, type Tensors} from './record.ts';
import type {Recording} from './recording.ts';
import {replay} from './replay.ts';

/** A recording that is loaded as one TensorFlow graph, in a session of its own. */
interface Loaded {
  readonly signature: string;
  readonly recording: Recording;
  readonly session: number;
}

/** What a process has loaded, most recently used first: the points of a sweep share it. */
const loaded: Loaded[] = [];
/** Pretraining, a pair, pruning and retraining of one network with its evaluations need nine at once. */
const MOST_LOADED = 16;

/** A captured function for tensors of some shapes. */
interface Use {
  readonly run: TensorFunction;
  graph: Loaded;
  calls: number;
}

/** What has been called since it was last compared with its recording. */
const uncompared = new Set<Use>();

/**
 * The function as one TensorFlow graph that one call runs: the same results within rounding, without the cost of single operations. It is
 * recorded when it is first called with tensors of some shapes; all results come from the graph, the first one too, so that
 * it does not matter when a process began. Other back ends than `tensorflow` run the function as it is.
 *
 * At calls 1, 2, 4, 8 … it is run beside the graph, without computing anything, and compared with its recording; `compareCaptured` does the
 * same at the end of what it was made for. Outputs are new tensors of the caller's; one may share its memory with an input, so nothing may write
 * into either.
 *
 * @throws CaptureError when the result depends on anything but the inputs: a value read back, a draw, a number of JavaScript that
 * changes from call to call.
 */
export function captured(tf: Tf, name: string, run: TensorFunction): TensorFunction {
  const current = new Map<string, Use>();
  return (inputs) => {
    const backend: object = tf.backend();
    if (!isNodeBackend(backend)) return tf.tidy(() => ({...run(inputs)}));
    const signature = signatureOf(name, inputs);
    const before = current.get(signature);
    const found = before ? undefined : find(tf, backend, signature, run);
    const use = before ?? {
      run,
      graph: found ?? load(backend, signature, record(tf, backend, run, inputs)),
      calls: 0,
    };
    current.set(signature, use);
    use.graph = stillLoaded(use.graph) ?? load(backend, signature, use.graph.recording);
    use.calls++;
    uncompared.add(use);
    if (found)
      uncompared.delete(use); // it has just been compared
    else if (isPowerOfTwo(use.calls)) compare(tf, backend, use);
    return runGraph(backend, use.graph, inputs);
  };
}

const stillLoaded = ({recording}: Loaded): Loaded | undefined => loaded.find((each) => each.recording === recording);

/** Forgets what was called before, at the start of what is to be compared at its end. */
export const forgetCalls = (): void => uncompared.clear();

/**
 * Compares every captured function that was called since `forgetCalls` with its recording: what changed between the calls that
 * were compared, and the last. Costs as much as TensorFlow.js takes to name the operations.
 *
 * @throws CaptureError as the call itself would have.
 */
export function compareCaptured(tf: Tf): void {
  const backend: object = tf.backend();
  if (isNodeBackend(backend)) for (const use of uncompared) compare(tf, backend, use);
}

function compare(tf: Tf, backend: NodeBackend, use: Use): void {
  uncompared.delete(use);
  const difference = replay(tf, backend, use.graph.recording, use.run);
  if (difference) throw difference;
}

const isPowerOfTwo = (n: number): boolean => (n & (n - 1)) === 0;

/** A graph loaded before, for another node or point, that does the same; what it does is compared, not what it is called. */
function find(tf: Tf, backend: NodeBackend, signature: string, run: TensorFunction): Loaded | undefined {
  const found = loaded.find(
    (each) => each.signature === signature && replay(tf, backend, each.recording, run) === undefined,
  );
  if (found) {
    loaded.splice(loaded.indexOf(found), 1);
    loaded.unshift(found);
  }
  return found;
}

function load(backend: NodeBackend, signature: string, recording: Recording): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'basin-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel(recording, backend.binding));
    const session = backend.loadSavedModelMetaGraph(folder, TAG);
    const graph = {signature, recording, session};
    loaded.unshift(graph);
    for (const old of loaded.splice(MOST_LOADED)) backend.deleteSavedModel(old.session);
    return graph;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

function runGraph(backend: NodeBackend, {session, recording}: Loaded, inputs: Tensors): Tensors {
  const outputs = Object.keys(recording.outputs);
  const results = backend.runSavedModel(
    session,
    Object.values(inputs),
    Object.keys(inputs).map((name) => ({name: inputNode(name)})),
    outputs.map(outputNode),
  );
  return Object.fromEntries(
    results.map((tensor, index): [string, (typeof results)[number]] => [outputs[index] ?? '', tensor]),
  );
}

const signatureOf = (name: string, inputs: Tensors): string =>
  `${name}(${Object.entries(inputs).map(([input, {shape, dtype}]) => `${input} ${dtype}[${shape.join(',')}]`)})`;
