import {z} from 'zod';

type Gradient = number | readonly number[];
/** A number for every tensor of a network, as merge recipes write it. */
export type Setting = Gradient | readonly {readonly filter?: string | undefined; readonly value: Gradient}[];

/**
 * A number; a list of anchors over the layers; or a list of `{filter, value}`, of which the first whose filter is a part of the tensor's name
 * holds. The last has no filter, so that every tensor has a value.
 */
export function settingSchema(value: z.ZodNumber) {
  const gradient = z.union([value, z.array(value).min(1)]);
  const filters = z
    .array(z.strictObject({filter: z.string().min(1).optional(), value: gradient}))
    .min(1)
    .refine(
      (entries) => entries.every(({filter}, index) => (filter === undefined) === (index === entries.length - 1)),
      {
        error: 'The last entry, and only that one, has no filter: it holds for all other tensors.',
      },
    );
  return z.union([value, z.array(value).min(1), filters]);
}

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
