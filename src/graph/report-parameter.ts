import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import type {ArgumentSpec} from '../spec/spec.ts';
import {wholeHole} from '../spec/template.ts';
import {type Entry, innermost, type Place} from '../spec/tree.ts';
import type {CheckedNode} from './check-node.ts';
import {documentation, type ParameterFault} from './parameter-fault.ts';
import type {AxisPoint, Row} from './relation.ts';

/**
 * Reports a fault of a parameter where its value was written, but at this node what an axis gives that it has `followed`: where such an axis was written
 * its values may be right, and another node stands there.
 */
export function reportParameter(
  node: CheckedNode,
  row: Row,
  followed: readonly string[],
  fault: ParameterFault,
  faults: Faults,
): void {
  const {spec, stage} = node;
  const placeOf = (path: readonly PropertyKey[], key: boolean): Place => placeIn(node, row, followed, path, key);
  switch (fault.kind) {
    case 'missing': {
      const name = fault.path.join('.');
      const doc = documentation(stage, String(fault.path[0]));
      const hint =
        fault.choices !== undefined
          ? fault.choices
          : doc === undefined
            ? fault.path.length > 1
              ? 'Add it here.'
              : 'Give it under "with".'
            : `${String(fault.path[0])}: ${doc}`;
      const at = fault.path.length > 1 ? placeOf(fault.path, false) : (spec.withAt ?? spec.at);
      faults.add(
        'missing-parameter',
        at,
        `The node "${spec.name}" lacks the parameter "${name}" of "${stage.name}".`,
        hint,
      );
      return;
    }
    case 'one-missing': {
      if (fault.path.length > 0) {
        const message = `"${fault.path.join('.')}" of "${stage.name}" needs one of ${quoted(fault.names)}.`;
        faults.add('missing-parameter', placeOf(fault.path, false), message, 'Give exactly one.');
        return;
      }
      const message = `The node "${spec.name}" must give one of the parameters ${quoted(fault.names)} of "${stage.name}".`;
      faults.add('missing-parameter', spec.withAt ?? spec.at, message, 'Give exactly one, under "with" or as an axis.');
      return;
    }
    case 'unknown': {
      const key = String(fault.path.at(-1));
      const at = placeOf(fault.path, true);
      if (fault.names.includes(key)) {
        const message = `"${fault.path.join('.')}" of "${stage.name}" cannot be given beside the others.`;
        faults.add('unknown-parameter', at, message, 'Remove it, or what it excludes.');
        return;
      }
      const holder = fault.path.length > 1 ? `"${fault.path.slice(0, -1).join('.')}"` : `The stage "${stage.name}"`;
      const hint = suggestion(key, fault.names, 'names here');
      faults.add('unknown-parameter', at, `${holder} has no parameter "${key}".`, hint);
      return;
    }
    case 'exclusive':
      faults.add(
        'bad-parameter',
        placeOf(fault.path, true),
        `The parameters ${quoted(fault.names)} exclude each other.`,
        'Give exactly one of them.',
      );
      return;
    case 'bad': {
      const [name] = fault.path.map(String);
      const subject = name === undefined ? 'The parameters' : `"${fault.path.join('.')}"`;
      const doc = name === undefined ? undefined : documentation(stage, name);
      const told = doc === undefined ? undefined : `${name}: ${doc}`;
      const own = fault.hint ?? (fault.meant === undefined ? told : `Did you mean "${fault.meant}"?`);
      const hint = isFollowed(node, row, followed, name) ? followedHint(name) : own;
      const at = placeOf(fault.path, false);
      faults.add(
        'bad-parameter',
        at,
        sentence(`${subject} of "${stage.name}"${fault.message}`),
        hint,
        fault.path.join('.'),
      );
    }
  }
}

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);
const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(' and ');

const argumentOf = ({spec}: CheckedNode, row: Row, name: string): Entry | ArgumentSpec | undefined =>
  row.overrides?.get(name) ?? spec.with.get(name);

/** Whether a parameter has its value from an axis of an input, of the same name. */
const isFollowed = (
  node: CheckedNode,
  row: Row,
  followed: readonly string[],
  name: string | undefined,
): name is string => name !== undefined && followed.includes(name) && argumentOf(node, row, name) === undefined;

const followedHint = (name: string): string =>
  `The axis "${name}" comes with an input and sets it: give "${name}" under "with", or rename the axis with {from: NODE.ARTIFACT, as: {${name}: NEW_NAME}}.`;

/** Where the value at a path was written: an axis's own value when it came from one of this node's. */
function placeIn(
  node: CheckedNode,
  row: Row,
  followed: readonly string[],
  path: readonly PropertyKey[],
  key: boolean,
): Place {
  const {spec} = node;
  const [name = '', ...steps] = path.map(String);
  const argument = argumentOf(node, row, name);
  const ownPoint = (axis: string): AxisPoint | undefined => (followed.includes(axis) ? undefined : row.axes.get(axis));
  if (!argument) return ownPoint(name)?.at ?? spec.withAt ?? spec.at;
  if (!argument.value || (key && steps.length === 0)) return argument.keyAt;
  if (key) {
    const holder = innermost(argument.value, path.slice(1, -1));
    const entry = holder.kind === 'map' ? holder.entries.get(steps.at(-1) ?? '') : undefined;
    if (entry) return entry.keyAt;
  }
  const value = innermost(argument.value, path.slice(1));
  const whole = value.kind === 'pending' ? wholeHole(value.template)?.expression.text.trim() : undefined;
  return (whole === undefined ? undefined : ownPoint(whole)?.at) ?? value.at;
}
