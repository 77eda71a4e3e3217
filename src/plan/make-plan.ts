import type {Key} from '../base/digest.ts';
import type {JsonObject} from '../base/json.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import {placeOf} from '../store/pipeline-place.ts';
import type {StoreRecord} from '../store/record.ts';
import {staticPart} from '../store/static-part.ts';
import type {Store} from '../store/store.ts';
import {generations, upstreamOf} from './generations.ts';
import {keyOfPreimage, preimageOf} from './key.ts';
import {couldBecome, isAwaited, partialPreimage} from './partial-preimage.ts';
import {diffPreimages} from './preimage-diff.ts';
import {type AskedArtifact, readsOf} from './reads.ts';
import {type Known, spreadRemade} from './remade.ts';
import {type ResolvedParams, resolveSources} from './sources.ts';
import type {Change, Plan, PlannedInstance, Reason} from './verdict.ts';

export interface PlanOptions {
  readonly store: Store;
  /** Of the set-up; nothing when no backend is set up yet. */
  readonly numerics: string | undefined;
  /** Whether outside data that is asked for may be fetched now; otherwise it is unresolved. Off unless said. */
  readonly mayDownload?: boolean;
  /** Hears what is fetched. */
  readonly tell?: (line: string) => void;
  /** Indices of instances that run whatever is stored. */
  readonly forced?: ReadonlySet<number>;
  /** Indices of what a run would be asked for, with what it needs; all unless given. Of the rest only what is stored is told. */
  readonly wanted?: ReadonlySet<number>;
  /** Artifacts whose files somebody wants, as `expect` wants its tables. */
  readonly asked?: readonly AskedArtifact[];
  /** Which of these failed when they were last tried, as far as that is soon known. */
  readonly failures?: (ids: ReadonlySet<string>) => Promise<ReadonlyMap<string, Failed>>;
}

/** What ended an instance, and the key that it had then, where that was known. */
export interface Failed {
  readonly message: string;
  readonly key: string | undefined;
}

/** What would run and why, from the records there are. Runs nothing, writes no result, and loads no backend. */
export async function makePlan(graph: Graph, options: PlanOptions): Promise<Plan> {
  const {store, numerics, mayDownload = false, tell, failures} = options;
  const {forced = new Set(), wanted = all(graph), asked = []} = options;
  const asking = {digestOfFile: (path: string) => store.digestOfFile(path), mayDownload, ...(tell && {tell})};
  const params = await resolveSources(graph, asking, wanted);
  const drafts = decideByGeneration(graph, params, store, numerics, forced);
  const toRun = graph.instances.filter(({index}) => drafts[index]?.state !== 'decided' && wanted.has(index));
  const failed = (await failures?.(new Set(toRun.map(({id}) => id)))) ?? new Map<string, Failed>();
  const lastKeys = lastKeysOf(graph, drafts, store);
  const partials = partialsOf(graph, drafts, numerics);
  const candidates = servedIfCutOff(partials, store, perhapsLost(graph, drafts, {failed, lastKeys}));
  const withReasons = addReasons(drafts, store, {candidates, forced, failed, lastKeys, partials});
  const reads = readsOf(graph, wanted, asked);
  const instances = spreadRemade(graph, withReasons, {candidates, forced, wanted, reads}, store);
  return numerics === undefined ? {instances, reads} : {instances, reads, numerics};
}

const all = ({instances}: Graph): ReadonlySet<number> => new Set(instances.keys());

/** An instance on its way to a verdict: what is known without asking what it was before. */
type Draft =
  | {readonly state: 'decided'; readonly planned: PlannedInstance}
  | {readonly state: 'miss'; readonly base: Base; readonly key: Key; readonly preimage: JsonObject}
  | {readonly state: 'awaits'; readonly base: Base; readonly upstream: readonly Instance[]}
  | {readonly state: 'backend-unknown'; readonly base: Base};
type Base = Pick<PlannedInstance, 'instance' | 'identity' | 'located' | 'pinned'> & {readonly identity: JsonObject};

const cachedRecord = (draft: Draft | undefined) =>
  draft?.state === 'decided' && draft.planned.verdict === 'cached' ? draft.planned.record : undefined;

/** Upstream first, one look-up of records a generation. */
function decideByGeneration(
  graph: Graph,
  params: readonly ResolvedParams[],
  store: Store,
  numerics: string | undefined,
  forced: ReadonlySet<number>,
): readonly Draft[] {
  const drafts: Draft[] = [];
  for (const generation of generations(graph)) {
    const misses: Extract<Draft, {state: 'miss'}>[] = [];
    for (const instance of generation) {
      const draft = firstLook(graph, instance, params[instance.index], drafts, numerics);
      drafts[instance.index] = draft;
      if (draft.state === 'miss') misses.push(draft);
    }
    const records = store.records(misses.map(({key}) => key));
    for (const {base, key} of misses) {
      const record = records.get(key);
      if (record === undefined || forced.has(base.instance.index)) continue;
      const planned: PlannedInstance = {...base, verdict: 'cached', reason: {why: 'cached'}, key, record};
      drafts[base.instance.index] = {state: 'decided', planned};
    }
  }
  return drafts;
}

function firstLook(
  graph: Graph,
  instance: Instance,
  params: ResolvedParams | undefined,
  drafts: readonly Draft[],
  numerics: string | undefined,
): Draft {
  if (params === undefined) throw new Error(`Internal error: the sources of ${instance.id} were not resolved`);
  if (params.state === 'unresolved') {
    const {parameter, detail, hint} = params;
    return unresolved(instance, {why: 'unresolved', parameter, detail, hint});
  }
  const notCached = upstreamOf(instance).filter((index) => cachedRecord(drafts[index]) === undefined);
  const running = notCached.flatMap((index) => graph.instances[index] ?? []);
  const lost = running.filter(({index}) => drafts[index]?.state === 'decided');
  const base = {instance, identity: params.identity, located: params.located, pinned: params.pinned};
  if (lost.length > 0)
    return unresolved(instance, {why: 'upstream-unresolved', upstream: lost.map(({id}) => id)}, base);
  if (numerics === undefined && instance.stage.computes === 'tensors') return {state: 'backend-unknown', base};
  if (running.length > 0) return {state: 'awaits', base, upstream: running};
  const preimage = preimageOf(base, (index, artifact) => outputOf(graph, drafts, index, artifact), numerics);
  return {state: 'miss', base, key: keyOfPreimage(preimage), preimage};
}

const unresolved = (instance: Instance, reason: Reason, base?: Base): Draft => ({
  state: 'decided',
  planned: {
    instance,
    verdict: 'unresolved',
    reason,
    identity: base?.identity,
    located: base?.located,
    pinned: base?.pinned ?? [],
    key: undefined,
    record: undefined,
  },
});

function outputOf(graph: Graph, drafts: readonly Draft[], index: number, artifact: string) {
  const output = cachedRecord(drafts[index])?.outputs[artifact];
  if (output === undefined)
    throw new Error(`Internal error: the record of ${graph.instances[index]?.id} has no output "${artifact}"`);
  return output;
}

/** The keys that what is not cached had last time: one look-up for all. */
const lastKeysOf = (graph: Graph, drafts: readonly Draft[], store: Store): ReadonlyMap<string, Key> =>
  store.lastKeys(
    placeOf(store.root, graph),
    drafts.flatMap((draft) => (draft.state === 'decided' ? [] : [draft.base.instance.id])),
  );

/** What instances were when they last ran, by id. */
interface Before {
  readonly failed: ReadonlyMap<string, Failed>;
  readonly lastKeys: ReadonlyMap<string, Key>;
}

/** Verdicts and reasons of what is not cached, from what the same instances were last time. */
function addReasons(
  drafts: readonly Draft[],
  store: Store,
  {
    candidates,
    forced,
    failed,
    lastKeys,
    partials,
  }: Pick<Known, 'candidates' | 'forced'> & Before & {readonly partials: Partials},
): readonly PlannedInstance[] {
  const lastRecords = store.records([...new Set(lastKeys.values())]);
  return drafts.map((draft): PlannedInstance => {
    if (draft.state === 'decided') return draft.planned;
    const lastKey = lastKeys.get(draft.base.instance.id);
    const last = lastKey === undefined ? undefined : lastRecords.get(lastKey);
    const isForced = forced.has(draft.base.instance.index);
    const verdict = candidates.has(draft.base.instance.index) && !isForced ? 'run-unless-cut-off' : 'run';
    const key = draft.state === 'miss' ? draft.key : undefined;
    // What may be cut off runs for what upstream gives, whatever else it was last time.
    const soFar = verdict === 'run' ? partials.get(draft.base.instance.index) : undefined;
    const isNew = lastKey === undefined && verdict === 'run';
    const reason = isForced
      ? FORCED
      : (failureOf(failed.get(draft.base.instance.id), key, lastKey, isNew) ??
        (isNew ? NEVER_RUN : reasonOf(draft, lastKey, last, soFar)));
    return {...draft.base, verdict, reason, key, record: undefined};
  });
}

const NEVER_RUN: Reason = {why: 'never-run'};
const FORCED: Reason = {why: 'forced'};

/** A failure is the reason of what never gave a result, or failed as it is now after it had given one. */
function failureOf(
  failed: Failed | undefined,
  key: Key | undefined,
  lastKey: Key | undefined,
  isNew: boolean,
): Reason | undefined {
  if (failed === undefined) return undefined;
  const isSame = key !== undefined && key === failed.key && key !== lastKey;
  return isNew || isSame ? {why: 'failed', message: failed.message} : undefined;
}

function reasonOf(
  draft: Exclude<Draft, {state: 'decided'}>,
  lastKey: Key | undefined,
  last: StoreRecord | undefined,
  soFar: JsonObject | undefined,
): Reason {
  switch (draft.state) {
    case 'backend-unknown':
      return {why: 'backend-unknown'};
    case 'awaits': {
      const upstream = draft.upstream.map(({id}) => id);
      const changes = last && soFar ? knownChanges(last.preimage, soFar) : [];
      return changes.length === 0 ? {why: 'upstream', upstream} : {why: 'changed', changes, upstream};
    }
    case 'miss': {
      if (lastKey === draft.key) return {why: 'record-missing'};
      return {why: 'changed', changes: last === undefined ? [] : diffPreimages(last.preimage, draft.preimage)};
    }
  }
}

/** What has changed already, whatever upstream will give. */
const knownChanges = (before: JsonObject, soFar: JsonObject): readonly Change[] =>
  diffPreimages(before, soFar).filter(({after}) => after === undefined || !isAwaited(after));

/**
 * Ids of what may give nothing: what was tried before may fail now, whatever it gave then, and what takes from one that failed may
 * be skipped again. A new point is taken to end well, so that what gathers it is told to run.
 */
function perhapsLost(graph: Graph, drafts: readonly Draft[], {failed, lastKeys}: Before): ReadonlySet<string> {
  const lost = new Set(lastKeys.keys());
  if (failed.size === 0) return lost;
  const skipped = new Set<number>();
  for (const {id, index, inputs} of graph.instances) {
    if (drafts[index]?.state === 'decided') continue;
    const lacks = Object.values(inputs).some((binding) =>
      binding.many ? binding.members.every(({from}) => skipped.has(from)) : skipped.has(binding.from),
    );
    if (!failed.has(id) && !lacks) continue;
    skipped.add(index);
    lost.add(id);
  }
  return lost;
}

/** By index, of the instances that await upstream, what is known of their preimages. */
type Partials = ReadonlyMap<number, JsonObject>;

function partialsOf(graph: Graph, drafts: readonly Draft[], numerics: string | undefined): Partials {
  const known = (index: number, artifact: string) => cachedRecord(drafts[index])?.outputs[artifact];
  return new Map(
    drafts.flatMap((draft): [number, JsonObject][] =>
      draft.state === 'awaits'
        ? [[draft.base.instance.index, partialPreimage(draft.base, known, graph.instances, numerics)]]
        : [],
    ),
  );
}

/** By index, of the instances that await upstream, the records that serve if upstream gives the bytes it gave before. */
function servedIfCutOff(
  partials: Partials,
  store: Store,
  lost: ReadonlySet<string>,
): ReadonlyMap<number, readonly StoreRecord[]> {
  const waiting = [...partials].map(([index, partial]) => ({index, partial, digest: staticPart(partial)}));
  const candidates = store.recordsWithStaticPart([...new Set(waiting.map(({digest}) => digest))]);
  return new Map(
    waiting.flatMap(({index, partial, digest}): [number, readonly StoreRecord[]][] => {
      const serving = (candidates.get(digest) ?? []).filter(({preimage}) =>
        couldBecome(partial.inputs ?? {}, preimage.inputs, lost),
      );
      return serving.length > 0 ? [[index, serving]] : [];
    }),
  );
}
