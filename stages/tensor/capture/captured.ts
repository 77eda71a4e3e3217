import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Tf} from '../library.ts';
import {type GraphInput, inputNode, outputNode, savedModel, TAG} from './graph-def.ts';
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

/** At the first call what was drawn differs, at the second what depends on a step. */
const CHECKED_CALLS = 2;

/**
 * The function as one TensorFlow graph that one call runs: the same results within rounding, without the cost of single operations. It is
 * recorded when it is first called with tensors of some shapes; all results come from the graph, the first one too, so that
 * it does not matter when a process began. Other back ends than `tensorflow` run the function as it is.
 *
 * Outputs are new tensors of the caller's; one may share its memory with an input, so nothing may write into either.
 *
 * @throws CaptureError when the result depends on anything but the inputs: a value read back, a draw, a number of JavaScript that
 * changes from call to call.
 */
export function captured(tf: Tf, name: string, run: TensorFunction): TensorFunction {
  const current = new Map<string, {calls: number; graph: Loaded}>();
  return (inputs) => {
    const backend: object = tf.backend();
    if (!isNodeBackend(backend)) return tf.tidy(() => ({...run(inputs)}));
    const signature = signatureOf(name, inputs);
    const before = current.get(signature);
    const held = before && loaded.includes(before.graph) ? before : undefined;
    const found = held ? undefined : find(tf, backend, signature, run, inputs);
    const use = held ?? {calls: 0, graph: found ?? load(tf, backend, signature, run, inputs)};
    current.set(signature, use);
    // what was found has just been compared
    if (!found && use.calls < CHECKED_CALLS) {
      const difference = replay(tf, backend, use.graph.recording, run, inputs);
      if (difference) throw difference;
    }
    use.calls++;
    return runGraph(backend, use.graph, inputs);
  };
}

/** A graph loaded before, for another node or point, that does the same; what it does is compared, not what it is called. */
function find(
  tf: Tf,
  backend: NodeBackend,
  signature: string,
  run: TensorFunction,
  inputs: Tensors,
): Loaded | undefined {
  const found = loaded.find(
    (each) => each.signature === signature && replay(tf, backend, each.recording, run, inputs) === undefined,
  );
  if (found) {
    loaded.splice(loaded.indexOf(found), 1);
    loaded.unshift(found);
  }
  return found;
}

function load(tf: Tf, backend: NodeBackend, signature: string, run: TensorFunction, inputs: Tensors): Loaded {
  const recording = record(tf, backend, run, inputs);
  const graphInputs: GraphInput[] = Object.entries(inputs).map(([name, {shape, dtype}]) => ({
    name,
    shape,
    dtype: typeNumber(backend, dtype),
  }));
  const folder = mkdtempSync(join(tmpdir(), 'basin-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), savedModel(recording, graphInputs, backend.binding));
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

function typeNumber({binding}: NodeBackend, dtype: string): number {
  switch (dtype) {
    case 'float32':
      return binding.TF_FLOAT;
    case 'int32':
      return binding.TF_INT32;
    case 'bool':
      return binding.TF_BOOL;
    default:
      throw new Error(`Internal error: a captured function takes no ${dtype}`);
  }
}
