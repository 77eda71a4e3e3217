import {canonicalJson} from '../base/canonical-json.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import {suggestion} from '../base/nearest.ts';
import {unknownVariable} from '../spec/expression.ts';
import type {Faults} from '../spec/faults.ts';
import {stageParameters} from '../spec/stage-parameters.ts';
import {addTemplateFault, evaluateTemplate, type TextTemplate, variablesOf, wholeHole} from '../spec/template.ts';
import {innermost, jsonOfTree, type Place, pendingIn} from '../spec/tree.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {CheckedNode} from './check-node.ts';
import {documentation, type ParameterFault, parameterFaults} from './parameter-fault.ts';
import type {AxisPoint, Row} from './relation.ts';

type Validated =
  | {readonly ok: true; readonly params: JsonObject}
  | {readonly ok: false; readonly faults: readonly ParameterFault[]};

/** Validates equal raw parameters of a stage once. */
export class ParameterCheck {
  readonly #seen = new Map<Stage, Map<string, Validated>>();

  validate(stage: Stage, raw: JsonObject): Validated {
    let ofStage = this.#seen.get(stage);
    if (!ofStage) {
      ofStage = new Map();
      this.#seen.set(stage, ofStage);
    }
    const text = canonicalJson(raw);
    const known = ofStage.get(text);
    if (known) return known;
    const parsed = stage.params.safeParse(raw);
    const fresh: Validated = parsed.success
      ? {ok: true, params: paramsOf(stage, parsed.data)}
      : {ok: false, faults: parameterFaults(stage, raw, parsed.error.issues)};
    ofStage.set(text, fresh);
    return fresh;
  }
}

function paramsOf(stage: Stage, output: unknown): JsonObject {
  const json = jsonOf(output);
  if (!isJsonObject(json)) throw new Error(`Internal error: the parameters of "${stage.name}" are no JSON object`);
  return json;
}

/** What is absent in memory is absent in JSON; anything else that JSON cannot hold is a mistake of the stage's schema. */
function jsonOf(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new Error('Internal error: a schema gave a number that JSON cannot hold');
      return value === 0 ? 0 : value;
    case 'undefined':
      return undefined;
    case 'object': {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((item) => jsonOf(item) ?? null);
      if (![null, Object.prototype].includes(Object.getPrototypeOf(value))) break;
      const object: Record<string, Json> = {};
      for (const [name, item] of Object.entries(value)) {
        const json = jsonOf(item);
        if (json !== undefined) object[name] = json;
      }
      return object;
    }
  }
  throw new Error('Internal error: a schema gave a value that JSON cannot hold');
}

/** Parameters of one node, given a point of its axes. */
export interface NodeParameters {
  /** Axes that decide a parameter. */
  readonly used: ReadonlySet<string>;
  /** Undefined when there is a fault. */
  at(row: Row): JsonObject | undefined;
}

/**
 * Works out what the axes decide and reports what is wrong with the node whatever they are. `axes` is undefined when an input has a
 * fault, so that not every axis is known: then what an axis might give is not reported as missing.
 */
export function nodeParameters(
  node: CheckedNode,
  axes: readonly string[] | undefined,
  params: ReadonlyMap<string, Json>,
  check: ParameterCheck,
  faults: Faults,
): NodeParameters {
  const {spec, stage} = node;
  const names = stageParameters(stage).byName;
  const reading = [...spec.with.values()];
  let broken = reading.some(({value}) => value === undefined);
  const templates = reading.flatMap(({value}) => (value ? [...pendingIn(value)] : []));
  const own = spec.axes.map(({name}) => name);
  const scope = new Set([...params.keys(), ...(axes ?? own)]);
  const used = new Set((axes ?? own).filter((axis) => names.has(axis) && !spec.with.has(axis)));
  for (const {template, at} of templates) {
    for (const variable of variablesOf(template)) {
      if (params.has(variable)) continue;
      used.add(variable);
      if (scope.has(variable)) continue;
      broken = true;
      if (axes) reportVariable(template, at, variable, scope, faults);
    }
  }
  for (const {name, keyAt} of reading) {
    if (names.has(name)) continue;
    broken = true;
    const hint = suggestion(name, names.keys(), `parameters of "${stage.name}"`);
    faults.add('unknown-parameter', keyAt, `The stage "${stage.name}" has no parameter "${name}".`, hint);
  }
  for (const {name, keyAt} of spec.axes) {
    if (used.has(name) || broken) continue;
    const hint = suggestion(
      name,
      [...names.keys()].filter((parameter) => !spec.with.has(parameter)),
      `parameters of "${stage.name}" that "with" does not give`,
    );
    const why =
      spec.with.has(name) && names.has(name)
        ? `"with" gives "${name}" itself`
        : `no parameter and no expression uses it`;
    faults.add('unused-axis', keyAt, `The axis "${name}" of "${spec.name}" changes nothing: ${why}.`, hint);
  }
  const mayLack = axes === undefined || broken;
  const needed = new Set(templates.flatMap(({template}) => variablesOf(template)));
  const known = new Map<string, JsonObject | undefined>();

  function compute(row: Row): JsonObject | undefined {
    const values = new Map<string, Json>();
    for (const name of needed) {
      const value = row.axes.get(name)?.value ?? params.get(name);
      if (value !== undefined) values.set(name, value);
    }
    const raw: Record<string, Json> = {};
    let sound = true;
    for (const {name, value} of reading) {
      if (!value || !names.has(name)) continue;
      raw[name] = jsonOfTree(value, (template, at) => {
        const result = evaluateTemplate(template, values);
        if (result.ok) return result.value;
        sound = false;
        if (result.error.code !== 'unknown-param-reference') addTemplateFault(faults, at, result.error);
        return null;
      });
    }
    if (!sound) return undefined;
    for (const axis of used) {
      const point = row.axes.get(axis);
      if (point && names.has(axis) && !spec.with.has(axis)) raw[axis] = point.value;
    }
    const validated = check.validate(stage, raw);
    if (validated.ok) return broken ? undefined : validated.params;
    for (const fault of validated.faults) {
      if (mayLack && (fault.kind === 'missing' || fault.kind === 'one-missing')) continue;
      reportParameter(node, row, fault, faults);
    }
    return undefined;
  }

  return {
    used,
    at(row) {
      const key = [...used].map((axis) => row.axes.get(axis)?.text ?? '').join('\n');
      if (known.has(key)) return known.get(key);
      const computed = compute(row);
      known.set(key, computed);
      return computed;
    },
  };
}

function reportVariable(
  template: TextTemplate,
  at: Place,
  variable: string,
  scope: Iterable<string>,
  faults: Faults,
): void {
  for (const part of template.parts) {
    if (typeof part === 'string' || !part.expression.variables.includes(variable)) continue;
    const {text} = part.expression;
    addTemplateFault(faults, at, {...unknownVariable(text, variable, scope), expression: text, offset: part.offset});
  }
}

function reportParameter(node: CheckedNode, row: Row, fault: ParameterFault, faults: Faults): void {
  const {spec, stage} = node;
  switch (fault.kind) {
    case 'missing': {
      const name = fault.path.join('.');
      const hint = documentation(stage, String(fault.path[0])) ?? `Give it under "with".`;
      const at = fault.path.length > 1 ? placeOf(node, row, fault.path, false) : (spec.withAt ?? spec.at);
      faults.add(
        'missing-parameter',
        at,
        `The node "${spec.name}" lacks the parameter "${name}" of "${stage.name}".`,
        hint,
      );
      return;
    }
    case 'one-missing': {
      const message = `The node "${spec.name}" must give one of the parameters ${quoted(fault.names)} of "${stage.name}".`;
      faults.add('missing-parameter', spec.withAt ?? spec.at, message, 'Give exactly one, under "with" or as an axis.');
      return;
    }
    case 'unknown': {
      const key = String(fault.path.at(-1));
      const inside = fault.path.length > 1 ? `"${fault.path.slice(0, -1).join('.')}"` : `The stage "${stage.name}"`;
      const at = placeOf(node, row, fault.path, true);
      const known = fault.path.length === 1 && fault.names.includes(key);
      const message = known
        ? `The parameter "${key}" cannot be given beside the others.`
        : `${inside} has no parameter "${key}".`;
      faults.add(
        'unknown-parameter',
        at,
        message,
        known ? 'Remove it, or what it excludes.' : suggestion(key, fault.names, 'names here'),
      );
      return;
    }
    case 'exclusive':
      faults.add(
        'bad-parameter',
        placeOf(node, row, fault.path, true),
        `The parameters ${quoted(fault.names)} exclude each other.`,
        'Give exactly one of them.',
      );
      return;
    case 'bad': {
      const name = fault.path.length === 0 ? `The parameters` : `"${fault.path.join('.')}"`;
      const doc = documentation(stage, String(fault.path[0]));
      faults.add(
        'bad-parameter',
        placeOf(node, row, fault.path, false),
        `${name} of "${stage.name}" ${fault.message}.`.replace('..', '.'),
        doc,
      );
    }
  }
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(' and ');

/** Where the value at a path was written: an axis's own value when it came from one. */
function placeOf(node: CheckedNode, row: Row, path: readonly PropertyKey[], key: boolean): Place {
  const {spec} = node;
  const [name, ...steps] = path.map(String);
  const argument = spec.with.get(name ?? '');
  if (!argument) return row.axes.get(name ?? '')?.at ?? spec.withAt ?? spec.at;
  if (!argument.value || (key && steps.length === 0)) return argument.keyAt;
  if (key) {
    const holder = innermost(argument.value, path.slice(1, -1));
    const entry = holder.kind === 'map' ? holder.entries.get(steps.at(-1) ?? '') : undefined;
    if (entry) return entry.keyAt;
  }
  const value = innermost(argument.value, path.slice(1));
  return axisOf(value, row)?.at ?? value.at;
}

function axisOf(value: ReturnType<typeof innermost>, row: Row): AxisPoint | undefined {
  const whole = value.kind === 'pending' ? wholeHole(value.template)?.expression.text.trim() : undefined;
  return whole === undefined ? undefined : row.axes.get(whole);
}
