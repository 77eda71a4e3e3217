import PQueue from 'p-queue';
import {canonicalJson} from '../base/canonical-json.ts';
import type {Digest} from '../base/digest.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {UserError} from '../base/user-error.ts';
import type {Graph, Instance} from '../graph/graph.ts';
import type {PinnedFiles} from '../stage/pinned-files.ts';
import type {SourceContext, SourceResolution, SourceResolver} from '../stage/source.ts';
import {pathOf, systemCode} from '../store/store-error.ts';

/** Files hashed at once: more would only make a disk seek. */
const AT_ONCE = 8;

/** An instance's parameters with outside data pinned, or the first parameter whose data cannot be had. */
export type ResolvedParams =
  | {
      readonly state: 'resolved';
      readonly identity: JsonObject;
      readonly located: JsonObject;
      readonly pinned: readonly PinnedFiles[];
    }
  | {
      readonly state: 'unresolved';
      readonly parameter: string;
      readonly detail: string;
      readonly hint: string | undefined;
    };

/** What a resolver says, and the files that it asked the digests of. */
interface Answer {
  readonly resolution: SourceResolution;
  readonly files: PinnedFiles;
}

type Resolve = (
  resolver: SourceResolver,
  value: Json,
  from: Pick<SourceContext, 'folder' | 'mayDownload'>,
) => Promise<Answer>;

/**
 * Resolves every instance's outside data, in the order of `graph.instances`. Equal values of one resolver are resolved once, so a
 * sweep over one data set asks for it once; and a file is one content for all of them, though it changes meanwhile. Nothing is fetched for what
 * nobody wants.
 */
export async function resolveSources(
  graph: Graph,
  asked: Omit<SourceContext, 'folder'>,
  wanted: ReadonlySet<number>,
): Promise<readonly ResolvedParams[]> {
  const queue = new PQueue({concurrency: AT_ONCE});
  const known = new Map<SourceResolver, Map<string, Promise<Answer>>>();
  const digests = new Map<string, Promise<Digest>>();
  const digestOfFile = (path: string): Promise<Digest> => {
    const digest = digests.get(path) ?? asked.digestOfFile(path);
    digests.set(path, digest);
    return digest;
  };
  const resolve: Resolve = (resolver, value, {folder, mayDownload}) => {
    const ofResolver = known.get(resolver) ?? new Map<string, Promise<Answer>>();
    known.set(resolver, ofResolver);
    const text = `${folder}\n${canonicalJson(value)}`;
    const before = ofResolver.get(text);
    if (before) return before;
    const answer = queue.add(() => resolveOne(resolver, value, {...asked, folder, mayDownload, digestOfFile}));
    ofResolver.set(text, answer);
    return answer;
  };
  const resolved = graph.instances.map(withoutSources);
  // No promise for an instance that needs none: there may be a hundred thousand.
  const asking = graph.instances.filter(({stage}) => Object.keys(stage.sources).length > 0);
  // What is wanted asks first: what another has in common with it is fetched for both.
  asking.sort((one, other) => Number(wanted.has(other.index)) - Number(wanted.has(one.index)));
  await Promise.all(
    asking.map(async (instance) => {
      const mayDownload = asked.mayDownload && wanted.has(instance.index);
      resolved[instance.index] = await resolveParams(instance, (resolver, value) =>
        resolve(resolver, value, {folder: instance.folder, mayDownload}),
      );
    }),
  );
  return resolved;
}

const withoutSources = ({stage, params}: Pick<Instance, 'stage' | 'params'>): ResolvedParams => ({
  state: 'resolved',
  identity: withoutNoop(stage, params),
  located: params,
  pinned: [],
});

async function resolveParams(
  {stage, params}: Instance,
  resolve: (resolver: SourceResolver, value: Json) => Promise<Answer>,
): Promise<ResolvedParams> {
  const asked = Object.entries(stage.sources).flatMap(([parameter, resolver]) => {
    const value = Object.hasOwn(params, parameter) ? params[parameter] : undefined;
    return value === undefined ? [] : [{parameter, answer: resolve(resolver, value)}];
  });
  if (asked.length === 0) return withoutSources({stage, params});
  const identity: Record<string, Json> = {...withoutNoop(stage, params)};
  const located: Record<string, Json> = {...params};
  const pinned: PinnedFiles[] = [];
  for (const {parameter, answer} of asked) {
    const {resolution, files} = await answer;
    if (resolution.state === 'unresolved')
      return {state: 'unresolved', parameter, detail: resolution.reason, hint: resolution.hint};
    identity[parameter] = resolution.identity;
    located[parameter] = resolution.located;
    pinned.push(files);
  }
  // Those of a program are copied before it runs, and looked at then.
  return {state: 'resolved', identity, located, pinned: stage.origin.from === 'command' ? [] : pinned};
}

/** The parameters but for those that were added later and have no effect at the value they have. */
function withoutNoop({noop}: Instance['stage'], params: JsonObject): JsonObject {
  if (Object.keys(noop).length === 0) return params;
  const kept = Object.entries(params).filter(
    ([name, value]) => !Object.hasOwn(noop, name) || canonicalJson(value) !== canonicalJson(noop[name] ?? null),
  );
  return Object.fromEntries(kept);
}

async function resolveOne(resolver: SourceResolver, value: Json, context: SourceContext): Promise<Answer> {
  const files: Record<string, Digest> = {};
  const digestOfFile = async (path: string): Promise<Digest> => {
    const digest = await context.digestOfFile(path);
    files[path] = digest;
    return digest;
  };
  return {resolution: await resolutionOf(resolver, value, {...context, digestOfFile}), files};
}

/** A file that vanishes or cannot be read is the world's doing; whatever else a resolver throws is a bug. */
async function resolutionOf(resolver: SourceResolver, value: Json, context: SourceContext): Promise<SourceResolution> {
  try {
    return await resolver(value, context);
  } catch (error) {
    if (error instanceof UserError)
      return {state: 'unresolved', reason: error.message, ...(error.hint !== undefined && {hint: error.hint})};
    if (error instanceof Error && systemCode(error) !== undefined) return {state: 'unresolved', ...systemReason(error)};
    throw error;
  }
}

function systemReason(error: Error): {reason: string; hint?: string} {
  const path = pathOf(error);
  switch (path && systemCode(error)) {
    case 'ENOENT':
      return {reason: `${path} does not exist.`, hint: 'Paths start at the folder of the pipeline file.'};
    case 'EACCES':
    case 'EPERM':
      return {reason: `${path} cannot be read: no permission.`};
    default:
      return {reason: error.message};
  }
}
