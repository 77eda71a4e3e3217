import {posix} from 'node:path';
import {z} from 'zod';
import {suggestion} from '../../../src/base/nearest.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {ParameterShape} from '../models/model.ts';
import type {ParameterLayout} from '../training/parameter-layout.ts';

const GLOB = /[*?[{]/;

/** A part of tensors' names, or a glob over whole names when it has a `*`, `?`, `[` or `{`. */
export const namePatternSchema = z.string().min(1).max(500);

export const matchesName = (pattern: string, name: string): boolean =>
  GLOB.test(pattern) ? posix.matchesGlob(name, pattern) : name.includes(pattern);

const patterns = (doc: string) => z.array(namePatternSchema).min(1).describe(doc).optional();

/** Which tensors pruning may take weights of; what the model itself says unless given. */
export const prunableSchema = z
  .strictObject({
    include: patterns('The tensors that can be pruned, instead of the weight matrices of the body.'),
    exclude: patterns('Those among them that cannot.'),
  })
  .describe(
    'Which tensors can be pruned, by parts of their names or globs; the weight matrices of the body unless given.',
  )
  .optional();

export type Prunable = z.output<typeof prunableSchema>;

/**
 * The parameters with `prunable` set by the patterns, which running statistics never match.
 *
 * @throws StageError for a pattern that no tensor matches, and when nothing is left.
 */
export function choosePrunable(parameters: readonly ParameterShape[], choice: Prunable): readonly ParameterShape[] {
  if (choice === undefined) return parameters;
  const {include, exclude = []} = choice;
  const names = parameters.flatMap(({name, buffer}) => (buffer ? [] : [name]));
  for (const pattern of [...(include ?? []), ...exclude]) {
    if (names.some((name) => matchesName(pattern, name))) continue;
    throw new StageError(`No tensor of the network matches "${pattern}".`, suggestion(pattern, names, 'tensors'));
  }
  const matches = (among: readonly string[], name: string) => among.some((pattern) => matchesName(pattern, name));
  const chosen = parameters.map((parameter) => {
    const included = include ? !parameter.buffer && matches(include, parameter.name) : parameter.prunable;
    return {...parameter, prunable: included && !matches(exclude, parameter.name)};
  });
  if (chosen.some(({prunable}) => prunable)) return chosen;
  throw new StageError(
    'Of the tensors that `prunable` includes, it excludes every one.',
    `Name fewer under \`exclude\`. The tensors are: ${names.join(', ')}.`,
  );
}

/** @throws StageError when pruning has nothing to take weights of. */
export function refuseNothingToPrune({prunable}: Pick<ParameterLayout, 'prunable'>): void {
  if (prunable > 0) return;
  throw new StageError('The network has no weights that can be pruned.', 'Prune a vit, or an mlp with hidden layers.');
}

/** One line: how many weights can be pruned, of how many, in how many tensors. */
export const describePrunable = (layout: ParameterLayout): string => `${countPrunable(layout)}.`;

/** The same with the names of the tensors. */
export const namePrunable = (layout: ParameterLayout): string =>
  `${countPrunable(layout)}: ${shortNames(layout.entries)}`;

function countPrunable({entries, prunable, trainable}: ParameterLayout): string {
  const tensors = entries.filter((entry) => entry.prunable).length;
  const [some, all] = [prunable, trainable].map((count) => count.toLocaleString('en-US'));
  return `${some} of ${all} weights can be pruned, in ${tensors} of ${entries.filter(({offset}) => offset < trainable).length} tensors`;
}

const SHOWN = 12;

/** Names as one glob: a layer's number is * where tensors of all layers can be pruned, and what all names begin or end with stands once. */
function shortNames(entries: ParameterLayout['entries']): string {
  const anyLayer = (name: string): string => name.replace(/(?<=\.)\d+(?=\.)/g, '*');
  const partly = new Set(entries.flatMap(({name, prunable}) => (prunable ? [] : [anyLayer(name)])));
  const names = entries.flatMap(({name, prunable}) => {
    if (!prunable) return [];
    return partly.has(anyLayer(name)) ? [name] : [anyLayer(name)];
  });
  const parts = [...new Set(names)].map((name) => name.split('.'));
  const [first = [], ...others] = parts;
  if (others.length === 0) return first.join('.');
  const room = Math.min(...parts.map(({length}) => length)) - 1;
  const shared = (at: (name: readonly string[], place: number) => string | undefined): number => {
    const end = first.findIndex((_, place) => others.some((name) => at(name, place) !== at(first, place)));
    return Math.min(end, room);
  };
  const before = shared((name, place) => name[place]);
  const after = Math.min(
    shared((name, place) => name.at(-1 - place)),
    room - before,
  );
  const middles = parts.map((name) => name.slice(before, name.length - after).join('.'));
  const rest = middles.length > SHOWN ? `,… ${middles.length - SHOWN} more` : '';
  const ends = (some: readonly string[]): string => some.join('.');
  const [start, end] = [ends(first.slice(0, before)), ends(first.slice(first.length - after))];
  return `${start}${before > 0 ? '.' : ''}{${middles.slice(0, SHOWN).join(',')}${rest}}${after > 0 ? '.' : ''}${end}`;
}
