import {canonicalJson} from '../base/canonical-json.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {pointText} from '../graph/instance-id.ts';
import type {Change} from './verdict.ts';

/**
 * The fields in which two preimages differ, in the order of the later one: `params.lr`, `inputs.weights`,
 * `inputs.points[alpha=0.5]`, `version`. A list is one value, for a reader of "alphas" wants both lists and no indices; a
 * gathered input is compared member by member, by the axes.
 */
export function diffPreimages(before: JsonObject, after: JsonObject): readonly Change[] {
  return diffFields(before, after, '', ORDER);
}

/** What a person changed comes first, what followed from it last. */
const ORDER = ['stage', 'version', 'params', 'inputs', 'numerics', 'format'];

function diffFields(before: JsonObject, after: JsonObject, path: string, order: readonly string[]): readonly Change[] {
  const names = new Set([...order, ...Object.keys(after), ...Object.keys(before)]);
  return [...names].flatMap((name) =>
    diffValues(own(before, name), own(after, name), path === '' ? name : `${path}.${name}`),
  );
}

const own = (fields: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;

function diffValues(before: Json | undefined, after: Json | undefined, path: string): readonly Change[] {
  if (before === undefined && after === undefined) return [];
  if (path.startsWith('inputs.') && (isInput(before) || isInput(after)))
    return diffLeaves(digestIn(before), digestIn(after), path);
  const [members, others] = [membersOf(before), membersOf(after)];
  if (members && others) return diffFields(members, others, path, []).map(asMember(path));
  if (path === ARGUMENTS && isList(before) && isList(after)) return diffArguments(before, after);
  if (isExecutableFile(before) || isExecutableFile(after))
    return [
      ...diffValues(digestIn(before), digestIn(after), path),
      ...diffValues(isExecutableFile(before) || undefined, isExecutableFile(after) || undefined, `${path}.executable`),
    ];
  if (isJsonObject(before) && isJsonObject(after)) return diffFields(before, after, path, []);
  return diffLeaves(before, after, path);
}

/** The argument list of a `run:` node: a reader wants the argument that changed, and not two long lists. */
const ARGUMENTS = 'params.run';
const diffArguments = (before: readonly Json[], after: readonly Json[]): readonly Change[] =>
  Array.from({length: Math.max(before.length, after.length)}).flatMap((_, index) =>
    diffLeaves(before[index], after[index], `${ARGUMENTS}[${index}]`),
  );

const diffLeaves = (before: Json | undefined, after: Json | undefined, path: string): readonly Change[] =>
  before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)
    ? []
    : [{path, before, after}];

/** `{kind, digest}`: a reader wants one line a changed input, and the kind follows from the stage. */
const isInput = (value: Json | undefined): value is JsonObject =>
  isJsonObject(value) && Object.keys(value).length === 2 && typeof value.kind === 'string' && 'digest' in value;
const digestIn = (value: Json | undefined): Json | undefined =>
  isInput(value) || isExecutableFile(value) ? value.digest : value;

/** Of a declared file that may be executed; of any other there is the digest alone. */
const isExecutableFile = (value: Json | undefined): value is JsonObject =>
  isJsonObject(value) && Object.keys(value).length === 2 && value.executable === true && 'digest' in value;

/**
 * A gathered input as digests by `[axis=value]`, or nothing when the value is no gathered input. A record has the axes sorted by name, and a pipeline as they
 * are written: only sorted they name the same member.
 */
function membersOf(value: Json | undefined): JsonObject | undefined {
  if (!isList(value) || value.length === 0) return undefined;
  const members = value.map((member): [string, Json] | undefined => {
    if (!isJsonObject(member) || !isJsonObject(member.axes) || member.digest === undefined) return undefined;
    const axes = Object.entries(member.axes).sort(([one], [other]) => (one < other ? -1 : 1));
    return [pointText(Object.fromEntries(axes)), member.digest];
  });
  const found = members.filter((member) => member !== undefined);
  return found.length === members.length ? Object.fromEntries(found) : undefined;
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const asMember =
  (path: string) =>
  (change: Change): Change => ({...change, path: path + change.path.slice(path.length + 1)});
