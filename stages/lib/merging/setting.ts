import {z} from 'zod';

type Gradient = number | readonly number[];
/** A number for every tensor of a network, as merge recipes write it. */
export type Setting = Gradient | readonly {readonly filter?: string | undefined; readonly value: Gradient}[];

/**
 * A number; a list of anchors over the layers; or a list of `{filter, value}`, of which the first whose filter is a part of the tensor's name
 * holds. An entry without a filter, or with mergekit's `*`, holds for all other tensors and is the last.
 */
export function settingSchema(value: z.ZodNumber) {
  const gradient = z.union([value, z.array(value).min(1)]);
  const entry = z
    .strictObject({filter: z.string().min(1).optional(), value: gradient})
    .transform(({filter, value}) => (filter === undefined || filter === '*' ? {value} : {filter, value}));
  const filters = z
    .array(entry)
    .min(1)
    .refine((entries) => entries.slice(0, -1).every(holdsForSome), {
      error: 'An entry without a filter holds for all other tensors: put it last.',
    });
  return z.union([value, z.array(value).min(1), filters]);
}

type Entry = Exclude<Setting, Gradient>[number];
const holdsForSome = ({filter}: Entry): boolean => filter !== undefined;

/** Whether every tensor has a value. */
export const isComplete = (setting: Setting): boolean =>
  typeof setting === 'number' || isAnchors(setting) || !setting.every(holdsForSome);

/** The setting, where it has a value; else the other one. */
export function completed(setting: Setting, other: Setting): Setting {
  if (typeof setting === 'number' || isAnchors(setting) || isComplete(setting)) return setting;
  return [...setting, ...(typeof other === 'number' || isAnchors(other) ? [{value: other}] : other)];
}

/** Whether it is 0 for whatever tensor. */
export const isZero = (setting: Setting): boolean =>
  typeof setting === 'number'
    ? setting === 0
    : isAnchors(setting)
      ? setting.every((anchor) => anchor === 0)
      : isComplete(setting) && setting.every(({value}) => isZero(value));

/** The setting of one tensor; `position` is its layer's, from 0 to 1. */
export function settingAt(setting: Setting, name: string, position: number): number {
  if (typeof setting === 'number') return setting;
  if (isAnchors(setting)) return between(setting, position);
  const entry = setting.find(({filter}) => filter === undefined || name.includes(filter));
  if (!entry) throw new Error(`Internal error: no entry holds for ${name}`);
  return settingAt(entry.value, name, position);
}

const isAnchors = (setting: Exclude<Setting, number>): setting is readonly number[] =>
  setting.every((entry) => typeof entry === 'number');

/** Linear between evenly spaced anchors. */
function between(anchors: readonly number[], position: number): number {
  const place = position * (anchors.length - 1);
  const before = Math.floor(place);
  const [low = 0, high = low] = anchors.slice(before, before + 2);
  const fraction = place - before;
  return fraction === 0 ? low : (1 - fraction) * low + fraction * high;
}
