import {z} from 'zod';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {quoted} from '../checkpoint/quoted.ts';
import type {DataSetValue} from './data-set-value.ts';

/** What each class is called, in the order of its files' labels, and what else it is called in checkpoints that people publish. */
const CIFAR10: readonly (readonly string[])[] = [
  ['airplane', 'plane', 'aeroplane'],
  ['automobile', 'car'],
  ['bird'],
  ['cat'],
  ['deer'],
  ['dog'],
  ['frog'],
  ['horse'],
  ['ship'],
  ['truck'],
];
// `0 - zero` is torchvision's.
const MNIST: readonly (readonly string[])[] = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
].map((word, digit) => [String(digit), word, `${digit} - ${word}`]);

function namesOf({name}: DataSetValue): readonly (readonly string[])[] | undefined {
  if (name === 'cifar10') return CIFAR10;
  return name === 'mnist' ? MNIST : undefined;
}

const namesSchema = z.looseObject({class_names: z.array(z.string()).optional()});

/**
 * Holds the names that a network gives its classes against the data set's labels, which decide what counts as right. A line for
 * the log where the data set knows other names.
 *
 * @throws StageError when the network's classes are the data set's, but its outputs are not the data set's labels.
 */
export function checkClassNames(config: JsonObject, value: DataSetValue): string | undefined {
  const {class_names: names} = namesSchema.parse(config);
  const known = namesOf(value);
  if (names === undefined || known === undefined) return undefined;
  const classes = names.map((name) => known.findIndex((called) => called.includes(name.trim().toLowerCase())));
  if (classes.includes(-1) || new Set(classes).size < classes.length) {
    return `The network calls its classes ${listed(names)}, and ${value.name} has others: its labels are taken in their order.`;
  }
  const label = classes.findIndex((place, index) => place !== (value.classes?.[index] ?? index));
  if (label === -1) return undefined;
  const theirs = known[value.classes?.[label] ?? label]?.[0] ?? '';
  throw new StageError(
    `Output ${label} of the network is ${quoted(names[label] ?? '')}, and label ${label} of the data set ${value.name} is ${quoted(theirs)}.`,
    `Give the data set classes: [${classes.join(', ')}], which takes its labels in the network's order; or load the network with a fresh head (\`labels\`).`,
  );
}

const SHOWN = 3;
const listed = (names: readonly string[]): string =>
  `${names.slice(0, SHOWN).map(quoted).join(', ')}${names.length > SHOWN ? ', …' : ''}`;
