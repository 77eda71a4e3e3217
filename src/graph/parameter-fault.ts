import type {z} from 'zod';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {nearestName} from '../base/nearest.ts';
import {describeSchema, stageParameters} from '../spec/stage-parameters.ts';
import type {Stage} from '../stage/define-stage.ts';
import {type Choices, choicesOf} from './parameter-choices.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What is wrong with a parameter; `path` leads to it from `with`. */
export type ParameterFault =
  /** `choices` are what it may be, where that is one of several. */
  | {readonly kind: 'missing'; readonly path: Path; readonly choices?: string | undefined}
  /** None of these is given, of which one is needed; `path` leads to what needs it. */
  | {readonly kind: 'one-missing'; readonly path: Path; readonly names: readonly string[]}
  | {readonly kind: 'unknown'; readonly path: Path; readonly names: readonly string[]}
  /** Each of these is known, but they cannot be given together. */
  | {readonly kind: 'exclusive'; readonly path: Path; readonly names: readonly string[]}
  /** `message` goes on after the parameter's name; `meant` is the choice that was probably misspelt, `hint` what its author says to do. */
  | {
      readonly kind: 'bad';
      readonly path: Path;
      readonly message: string;
      readonly meant?: string | undefined;
      readonly hint?: string | undefined;
    };

/** The faults that a stage's schema finds in raw parameters, with unions reduced to the branch that was meant. */
export function parameterFaults(stage: Stage, raw: JsonObject, issues: readonly Issue[]): readonly ParameterFault[] {
  const faults = issues.flatMap((issue) => faultsOf(stage, raw, issue, []));
  return faults.filter((fault) => !faults.some((other) => isMisspelling(other, fault)));
}

/** A misspelt name is one fault, though it is unknown and the right one is missing. */
function isMisspelling(unknown: ParameterFault, missing: ParameterFault): boolean {
  if (unknown.kind !== 'unknown' || (missing.kind !== 'missing' && missing.kind !== 'one-missing')) return false;
  const holder = missing.kind === 'missing' ? missing.path.slice(0, -1) : missing.path;
  if (unknown.path.slice(0, -1).join('\n') !== holder.join('\n')) return false;
  const names = missing.kind === 'missing' ? [String(missing.path.at(-1))] : missing.names;
  return nearestName(String(unknown.path.at(-1)), names) !== undefined;
}

function faultsOf(stage: Stage, raw: JsonObject, issue: Issue, base: Path): readonly ParameterFault[] {
  const path = [...base, ...issue.path];
  const value = valueAt(raw, path);
  if (path.length > 0 && value === undefined) {
    // a rule over several parameters, which its author reports at one that is not given
    return issue.code === 'custom'
      ? [{kind: 'bad', path, message: `: ${issue.message}`, hint: hintOf(issue)}]
      : [{kind: 'missing', path, choices: choicesAt(stage, raw, path)?.text}];
  }
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(
        (key): ParameterFault => ({kind: 'unknown', path: [...path, key], names: namesAt(stage, path)}),
      );
    case 'invalid_union':
      return unionFaults(stage, raw, issue.errors, path) ?? [bad(stage, raw, path, value, issue)];
    default:
      return [bad(stage, raw, path, value, issue)];
  }
}

function bad(stage: Stage, raw: JsonObject, path: Path, value: Json | undefined, issue: Issue): ParameterFault {
  const near = meant(stage, path, value);
  const choices = near === undefined && isPlain(issue) ? choicesAt(stage, raw, path) : undefined;
  return {
    kind: 'bad',
    path,
    message: expected(stage, path, value, issue),
    meant: near,
    hint: hintOf(issue) ?? (choices?.isDescribed ? choices.text : undefined),
  };
}

/** Whether it is the validator's own: what an author wrote says more. */
const isPlain = (issue: Issue): boolean => issue.code === 'invalid_value' || issue.code === 'invalid_union';

/** An issue that a stage's own check adds may carry what to do. */
const hintOf = (issue: Issue): string | undefined =>
  issue.code === 'custom' && typeof issue.params?.hint === 'string' ? issue.params.hint : undefined;

/** Undefined when the value fits no branch even in its type, so that only the whole can be described. */
function unionFaults(
  stage: Stage,
  raw: JsonObject,
  branches: readonly (readonly Issue[])[],
  path: Path,
): readonly ParameterFault[] | undefined {
  const isOfOtherType = (issues: readonly Issue[]): boolean =>
    issues.some(({code, path: at}) => at.length === 0 && (code === 'invalid_type' || code === 'invalid_value'));
  const near = branches.filter((issues) => issues.length > 0 && !isOfOtherType(issues));
  const faults = near.map((issues) => issues.flatMap((issue) => faultsOf(stage, raw, issue, path)));
  const [first] = faults.toSorted((one, other) => one.length - other.length);
  if (first === undefined) return undefined;
  const common = faults
    .slice(1)
    .reduce((shared, branch) => shared.filter((fault) => branch.some(same(fault))), faults[0] ?? []);
  const own = faults.map((branch) => branch.filter((fault) => !common.some(same(fault))));
  if (faults.length > 1 && own.every((branch) => branch.length > 0)) {
    if (own.every((branch) => branch.every(({kind}) => kind === 'missing'))) {
      const names = own.flat().flatMap((fault) => (fault.kind === 'missing' ? [String(fault.path.at(-1))] : []));
      return [...common, {kind: 'one-missing', path, names: [...new Set(names)]}];
    }
    if (own.every((branch) => branch.every(({kind}) => kind === 'unknown'))) {
      const paths = own.flat().flatMap((fault) => (fault.kind === 'unknown' ? [fault.path] : []));
      const names = [...new Set(paths.map((at) => String(at.at(-1))))];
      const last = paths.find((at) => String(at.at(-1)) === Object.keys(raw).findLast((name) => names.includes(name)));
      return [...common, {kind: 'exclusive', path: last ?? paths[0] ?? path, names}];
    }
  }
  return first;
}

const same =
  (fault: ParameterFault) =>
  (other: ParameterFault): boolean =>
    JSON.stringify(fault) === JSON.stringify(other);

function valueAt(raw: Json, path: Path): Json | undefined {
  let here: Json | undefined = raw;
  for (const step of path) {
    if (Array.isArray(here)) here = here[Number(step)];
    else if (isJsonObject(here) && Object.hasOwn(here, step)) here = here[String(step)];
    else return undefined;
  }
  return here;
}

/** What is said after the parameter's name: from the schema when it says all, else from the validator. */
function expected(stage: Stage, path: Path, value: Json | undefined, issue: Issue): string {
  const shown = shorten(JSON.stringify(value) ?? 'nothing');
  // A message that the author of the stage wrote says more than anything derived.
  if (!/^(Invalid|Too (big|small)|Unrecognized)/.test(issue.message)) {
    return /^["A-Z]/.test(issue.message) ? `: ${issue.message}` : ` cannot be ${shown}: ${issue.message}`;
  }
  const descriptions = [...new Set(schemasAt(stage, path).map(describeSchema))];
  const sized = (issue.code === 'too_big' || issue.code === 'too_small') && !['number', 'int'].includes(issue.origin);
  const partial = sized || issue.code === 'not_multiple_of' || issue.code === 'custom';
  if (!partial && descriptions.length > 0 && descriptions.every((description) => description !== undefined)) {
    const quoted = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
    return ` must be ${descriptions.join(' or ')}, but is ${quoted ? `the text ${shown}, in quotes` : shown}`;
  }
  const lower = issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  return ` is ${shown}, which is not right: ${lower}`;
}

/** The nearest of the texts that a parameter may be. */
function meant(stage: Stage, path: Path, value: Json | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const choices = schemasAt(stage, path)
    .flatMap(withBranches)
    .flatMap((schema) => [schema.const, schema.enum].flat());
  return nearestName(
    value,
    choices.filter((choice) => typeof choice === 'string'),
  );
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}…` : text);

function schemasAt(stage: Stage, path: Path): readonly JsonObject[] {
  const [name, ...steps] = path;
  let schemas = stageParameters(stage).byName.get(String(name)) ?? [];
  for (const step of steps) {
    schemas = schemas
      .flatMap(withBranches)
      .flatMap((schema) =>
        typeof step === 'number'
          ? schema.items
          : isJsonObject(schema.properties)
            ? schema.properties[String(step)]
            : [],
      )
      .filter((schema) => isJsonObject(schema));
  }
  return schemas;
}

/** A schema, and those of its unions at any depth. */
const withBranches = (schema: JsonObject): readonly JsonObject[] => [
  schema,
  ...[schema.anyOf ?? [], schema.oneOf ?? []].flat().filter(isJsonObject).flatMap(withBranches),
];

function namesAt(stage: Stage, path: Path): readonly string[] {
  if (path.length === 0) return [...stageParameters(stage).byName.keys()];
  const inside = schemasAt(stage, path).flatMap(withBranches);
  return [
    ...new Set(inside.flatMap((schema) => (isJsonObject(schema.properties) ? Object.keys(schema.properties) : []))),
  ];
}

/** The author's description of a parameter, for a hint. */
export function documentation(stage: Stage, name: string): string | undefined {
  const schemas = stageParameters(stage).byName.get(name) ?? [];
  const described = schemas.find(({description}) => typeof description === 'string');
  return typeof described?.description === 'string' ? described.description : undefined;
}

function choicesAt(stage: Stage, raw: JsonObject, path: Path): Choices | undefined {
  const holder = path.slice(0, -1);
  const schemas = holder.length === 0 ? [stageParameters(stage).schema] : schemasAt(stage, holder);
  const value = valueAt(raw, holder);
  const given = isJsonObject(value) ? Object.keys(value) : [];
  return choicesOf(path.map(String).join('.'), schemas.flatMap(withBranches), given);
}
