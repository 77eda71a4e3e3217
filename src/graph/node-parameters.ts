import type {Json, JsonObject} from '../base/json.ts';
import {nearestName, suggestion} from '../base/nearest.ts';
import {unknownVariable} from '../spec/expression.ts';
import type {Faults} from '../spec/faults.ts';
import {parameterNames, settableNames} from '../spec/stage-parameters.ts';
import {addTemplateFault, evaluateTemplate, faultWithin, type TextTemplate, variablesOf} from '../spec/template.ts';
import {asWritten, jsonOfTree, type Place, pendingIn} from '../spec/tree.ts';
import {WRITTEN_PARAMETERS} from '../stage/command-parameters.ts';
import type {CheckedNode} from './check-node.ts';
import type {NodePoints} from './node-axes.ts';
import type {ParameterCheck} from './parameter-check.ts';
import type {Row} from './relation.ts';
import {reportParameter} from './report-parameter.ts';

/** Parameters of one node, given a point of its axes. */
export interface NodeParameters {
  /** Axes that decide a parameter. */
  readonly used: ReadonlySet<string>;
  /** Undefined when there is a fault. */
  at(row: Row): JsonObject | undefined;
}

/**
 * Works out what the axes decide and reports what is wrong with the node whatever they are. `points` is undefined when an input has a
 * fault, so that not every axis is known: then what an axis might give is not reported as missing.
 */
export function nodeParameters(
  node: CheckedNode,
  points: NodePoints | undefined,
  check: ParameterCheck,
  faults: Faults,
): NodeParameters {
  const {spec, stage} = node;
  const {params} = spec;
  const names = parameterNames(stage);
  const settable = settableNames(stage);
  const axes = points?.axes;
  const reading = [...spec.with.values()];
  let broken = spec.incomplete || reading.some(({value}) => value === undefined);
  const overrides = new Set(points?.rows.flatMap((row) => (row.overrides ? [...row.overrides.values()] : [])));
  const templates = [...reading, ...overrides].flatMap(({value}) => (value ? [...pendingIn(value)] : []));
  const ownAxes = (points?.groups ?? spec.sweep.groups).flat();
  const own = ownAxes.map(({name}) => name);
  const scope = new Set([...params.keys(), ...(axes ?? own)]);
  const used = new Set((axes ?? own).filter((axis) => settable.has(axis) && !spec.with.has(axis)));
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
  for (const {name, keyAt} of ownAxes) {
    const isFollowed = [...spec.inputs.values()].some(({previous}) => previous?.name === name);
    if (used.has(name) || broken || isFollowed) continue;
    const given = spec.with.has(name) && names.has(name);
    const free = [...settable].filter((parameter) => !spec.with.has(parameter));
    const near = nearestName(name, free);
    const remedy =
      near === undefined ? `Use it in an expression, "\${${name}}", or remove it.` : `Did you mean "${near}"?`;
    const hint = given ? `Remove "${name}" from "with", or remove the axis.` : remedy;
    const why = given ? `"with" gives "${name}" itself` : 'no parameter and no expression uses it';
    faults.add('unused-axis', keyAt, `The axis "${name}" of "${spec.name}" changes nothing: ${why}.`, hint);
  }
  const misspelt = reading
    .flatMap(({name}) => (names.has(name) ? [] : [name]))
    .concat(own.filter((axis) => !used.has(axis)));
  /** Whether another fault stands for this missing parameter. */
  const accountedFor = (name: string): boolean =>
    axes === undefined ||
    spec.incomplete ||
    spec.with.has(name) ||
    misspelt.some((wrong) => nearestName(wrong, [name]) !== undefined);
  const needed = new Set(templates.flatMap(({template}) => variablesOf(template)));
  const known = new Map<string, JsonObject | undefined>();

  function compute(row: Row): JsonObject | undefined {
    const values = new Map<string, Json>();
    for (const name of needed) {
      const point = row.axes.get(name);
      // `null` is a value of an axis like every other
      const value = point ? point.value : params.get(name);
      if (value !== undefined) values.set(name, value);
    }
    const raw: Record<string, Json> = {};
    let sound = true;
    for (const {name, value} of [
      ...reading.filter(({name}) => !row.overrides?.has(name)),
      ...(row.overrides?.values() ?? []),
    ]) {
      if (!value || !names.has(name)) continue;
      const given = stage.origin.from === 'command' && WRITTEN_PARAMETERS.has(name) ? asWritten(value) : value;
      raw[name] = jsonOfTree(given, (template, at) => {
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
      if (point && settable.has(axis) && !spec.with.has(axis)) raw[axis] = point.value;
    }
    const validated = check.validate(stage, raw);
    if (validated.ok) return broken ? undefined : validated.params;
    for (const fault of validated.faults) {
      if (fault.kind === 'missing' && fault.path.length === 1 && accountedFor(String(fault.path[0]))) continue;
      const [first = ''] = fault.path;
      // a rule over several parameters, told at one that an axis with a fault of its own was to give
      if (fault.kind === 'bad' && raw[String(first)] === undefined && accountedFor(String(first))) continue;
      if (fault.kind === 'one-missing' && fault.path.length === 0 && fault.names.some(accountedFor)) continue;
      reportParameter(node, row, points?.followed ?? [], fault, faults);
    }
    return undefined;
  }

  return {
    used,
    at(row) {
      if (row.overrides) return compute(row);
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
    addTemplateFault(faults, at, faultWithin(template.text, part.offset, unknownVariable(text, variable, scope)));
  }
}
