import {suggestion} from '../base/nearest.ts';
import type {Faults} from '../spec/faults.ts';
import {wholeHole} from '../spec/template.ts';
import {innermost, type Place} from '../spec/tree.ts';
import type {CheckedNode} from './check-node.ts';
import {documentation, type ParameterFault} from './parameter-fault.ts';
import type {AxisPoint, Row} from './relation.ts';

/** Reports a fault of a parameter where its value was written. */
export function reportParameter(node: CheckedNode, row: Row, fault: ParameterFault, faults: Faults): void {
  const {spec, stage} = node;
  switch (fault.kind) {
    case 'missing': {
      const name = fault.path.join('.');
      const doc = documentation(stage, String(fault.path[0]));
      const hint =
        doc === undefined
          ? fault.path.length > 1
            ? 'Add it here.'
            : 'Give it under "with".'
          : `${String(fault.path[0])}: ${doc}`;
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
      if (fault.path.length > 0) {
        const message = `"${fault.path.join('.')}" of "${stage.name}" needs one of ${quoted(fault.names)}.`;
        faults.add('missing-parameter', placeOf(node, row, fault.path, false), message, 'Give exactly one.');
        return;
      }
      const message = `The node "${spec.name}" must give one of the parameters ${quoted(fault.names)} of "${stage.name}".`;
      faults.add('missing-parameter', spec.withAt ?? spec.at, message, 'Give exactly one, under "with" or as an axis.');
      return;
    }
    case 'unknown': {
      const key = String(fault.path.at(-1));
      const at = placeOf(node, row, fault.path, true);
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
        placeOf(node, row, fault.path, true),
        `The parameters ${quoted(fault.names)} exclude each other.`,
        'Give exactly one of them.',
      );
      return;
    case 'bad': {
      const [name] = fault.path;
      const subject = name === undefined ? 'The parameters' : `"${fault.path.join('.')}"`;
      const doc = name === undefined ? undefined : documentation(stage, String(name));
      const told = doc === undefined ? undefined : `${String(name)}: ${doc}`;
      const hint = fault.hint ?? (fault.meant === undefined ? told : `Did you mean "${fault.meant}"?`);
      const at = placeOf(node, row, fault.path, false);
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

/** Where the value at a path was written: an axis's own value when it came from one. */
function placeOf(node: CheckedNode, row: Row, path: readonly PropertyKey[], key: boolean): Place {
  const {spec} = node;
  const [name, ...steps] = path.map(String);
  const argument = row.overrides?.get(name ?? '') ?? spec.with.get(name ?? '');
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
