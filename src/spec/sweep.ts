import {canonicalJson} from '../base/canonical-json.ts';
import type {Json} from '../base/json.ts';
import {isRoundedAway, roundComputed} from '../base/numbers.ts';
import type {Faults} from './faults.ts';
import {describeTree, type Entry, jsonOfTree, type MapTree, type Place, type Tree} from './tree.ts';

/** A value of an axis and the place that a fault of it points at. */
export interface AxisValue {
  readonly value: Json;
  readonly at: Place;
}

const LONGEST_AXIS = 100_000;

const FORMS = ['linspace', 'logspace', 'range'] as const;
type Form = (typeof FORMS)[number];
const USAGE: Readonly<Record<Form, string>> = {
  linspace: '{linspace: [from, to, count]}',
  logspace: '{logspace: [from, to, count]}, from and to being the first and last value, above 0',
  range: '{range: [from, to, step]}, the end included',
};

/**
 * The values of an axis: a list, or
 * `linspace: [from, to, count]` (evenly spaced, both ends included),
 * `logspace: [from, to, count]` (evenly spaced by ratio, both ends included; the ends are values, not exponents),
 * `range: [from, to, step]` (`to` is included when a whole number of steps meets it).
 * Computed numbers have 15 significant digits. Undefined when there is a fault. A value may stand there twice only where the
 * axis is `zipped` with another.
 */
export function axisValues(
  axis: string,
  tree: Tree,
  zipped: boolean,
  faults: Faults,
): readonly AxisValue[] | undefined {
  const values =
    tree.kind === 'list'
      ? listed(tree.items)
      : tree.kind === 'map'
        ? computed(axis, tree, faults)
        : unusable(axis, tree, faults);
  if (values === undefined) return undefined;
  if (values.length === 0) {
    faults.add('empty-sweep', tree.at, `The axis "${axis}" has no values.`, 'Give it at least one.');
    return undefined;
  }
  if (values.length > LONGEST_AXIS) return tooLong(axis, tree, values.length, faults);
  return zipped || distinct(axis, values, faults) ? values : undefined;
}

const listed = (items: readonly Tree[]): readonly AxisValue[] =>
  items.map((item) => ({value: jsonOfTree(item, () => null), at: item.at}));

function unusable(axis: string, tree: Tree, faults: Faults): undefined {
  const hint = `Write a list, or ${FORMS.map((form) => `{${form}: […]}`).join(', ')}.`;
  faults.add(
    'wrong-type',
    tree.at,
    `The axis "${axis}" needs a list of values, but is given ${describeTree(tree)}.`,
    hint,
  );
  return undefined;
}

function tooLong(axis: string, tree: Tree, length: number, faults: Faults): undefined {
  faults.add(
    'too-large',
    tree.at,
    `The axis "${axis}" has ${length} values; ${LONGEST_AXIS} is the most.`,
    'Sweep more coarsely.',
  );
  return undefined;
}

function computed(axis: string, tree: MapTree, faults: Faults): readonly AxisValue[] | undefined {
  const [entry, second] = tree.entries.values();
  const form = FORMS.find((name) => name === entry?.name);
  if (!entry || second || !form) {
    const at = form ? (second?.keyAt ?? tree.at) : (entry?.keyAt ?? tree.at);
    const hint = `Write a list, or one of ${FORMS.map((name) => `{${name}: […]}`).join(', ')}.`;
    faults.add('wrong-type', at, `The axis "${axis}" cannot be read from this map.`, hint);
    return undefined;
  }
  const numbers = threeNumbers(entry);
  const values = numbers && spread(form, ...numbers);
  if (!values) {
    faults.add(
      'wrong-type',
      entry.value.at,
      `"${form}" of the axis "${axis}" cannot be computed from this.`,
      `Write ${USAGE[form]}.`,
    );
    return undefined;
  }
  if (Number.isFinite(values.count) && values.count > LONGEST_AXIS) return tooLong(axis, tree, values.count, faults);
  const {at} = entry.value;
  const spaced = Number.isFinite(values.count)
    ? Array.from({length: values.count}, (_, index) => values.at(index))
    : [values.count];
  const bad = spaced.find((one) => !Number.isFinite(one) || isRoundedAway(one));
  if (bad === undefined) return spaced.map((value) => ({value: roundComputed(value), at}));
  const [what, hint] = Number.isFinite(bad)
    ? [`${bad}, a whole number that would lose digits`, `Whole numbers go up to ${Number.MAX_SAFE_INTEGER} (2^53 - 1).`]
    : ['a value that is no finite number', 'Sweep over less.'];
  faults.add('bad-number', at, `"${form}" of the axis "${axis}" comes to ${what}.`, hint);
  return undefined;
}

function threeNumbers({value}: Entry): [number, number, number] | undefined {
  if (value.kind !== 'list' || value.items.length !== 3) return undefined;
  const [from, to, last] = value.items.map((item) => (item.kind === 'scalar' ? item.value : undefined));
  return typeof from === 'number' && typeof to === 'number' && typeof last === 'number' ? [from, to, last] : undefined;
}

function spread(
  form: Form,
  from: number,
  to: number,
  last: number,
): {count: number; at(index: number): number} | undefined {
  switch (form) {
    case 'linspace':
      if (!Number.isInteger(last) || last < 0 || (last === 1 && from !== to)) return undefined;
      return {count: last, at: (index) => (last === 1 ? from : between(from, to, index, last - 1))};
    case 'logspace':
      if (!Number.isInteger(last) || last < 0 || from <= 0 || to <= 0 || (last === 1 && from !== to)) return undefined;
      return {
        count: last,
        at: (index) => (index === 0 ? from : index === last - 1 ? to : from * (to / from) ** (index / (last - 1))),
      };
    case 'range': {
      if (last === 0 || (to - from) * last < 0) return undefined;
      // (1 - 0) / 0.1 may fall a hair short of 10: a step that lands on the end by rounding lands on it.
      const count = Math.floor((to - from) / last + 1e-9) + 1;
      return {count, at: (index) => from + index * last};
    }
  }
}

/** The middle of 0…1 is the quotient a person would write; whole numbers, whose products may pass 2^53, are multiplied whole. */
function between(from: number, to: number, index: number, steps: number): number {
  const products = [from * (steps - index), to * index] as const;
  const quotient = (products[0] + products[1]) / steps;
  if (![from, to].every(Number.isSafeInteger) || products.every(Number.isSafeInteger)) return quotient;
  const exact = BigInt(from) * BigInt(steps - index) + BigInt(to) * BigInt(index);
  return exact % BigInt(steps) === 0n ? Number(exact / BigInt(steps)) : quotient;
}

function distinct(axis: string, values: readonly AxisValue[], faults: Faults): boolean {
  const seen = new Set<string>();
  let fine = true;
  for (const {value, at} of values) {
    const text = canonicalJson(value);
    if (seen.has(text)) {
      faults.add('duplicate-value', at, `The axis "${axis}" has the value ${text} twice.`, 'Remove one.');
      fine = false;
    }
    seen.add(text);
  }
  return fine;
}
