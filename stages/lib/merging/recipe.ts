import {z} from 'zod';
import {StageError} from '../../../src/stage/define-stage.ts';
import {shownAt} from '../shown-at.ts';
import {type At, atSchema, type MergedModel} from './models.ts';
import {completed, type Setting, settingSchema} from './setting.ts';

const weightSchema = settingSchema(z.number().min(-1000).max(1000));
const densitySchema = settingSchema(z.number().min(0).max(1));

const weight = weightSchema
  .default(1)
  .describe('Weight of each network: a number, anchors over the layers, or a list of {filter, value}.');

/** Parameters of merges that weigh each network. */
export const weighted = {
  weight,
  models: z
    .array(z.strictObject({at: atSchema, weight: weightSchema}))
    .default([])
    .describe('Networks with a weight of their own: {at: a, weight} or {at: {seed: 1}, weight}.'),
};

/** Parameters of merges that also thin each network out. */
export const thinned = {
  density: densitySchema.describe(
    'Fraction of its changes that each network keeps, 0 to 1: a number, anchors over the layers, or a list of {filter, value}.',
  ),
  weight,
  models: z
    .array(z.strictObject({at: atSchema, weight: weightSchema.optional(), density: densitySchema.optional()}))
    .default([])
    .describe('Networks with a weight or a density of their own: {at: a, weight} or {at: {seed: 1}, density}.'),
};

type Entry = {readonly at: At; readonly weight?: Setting | undefined; readonly density?: Setting | undefined};

const matches = (at: At, model: MergedModel): boolean => {
  const {at: point} = model;
  if (typeof at === 'string' || typeof point === 'string') return at === point;
  return Object.entries(at).every(([axis, value]) => Object.hasOwn(point, axis) && point[axis] === value);
};

/** What a tensor has that no setting holds for. */
const UNSAID = 1;

/**
 * Each network's own setting: that of the first entry that means it and has one, else the one for all, which also holds for tensors that a list of
 * filters leaves out.
 */
export function settingsOf(
  field: 'weight' | 'density',
  {all, entries}: {readonly all: Setting; readonly entries: readonly Entry[]},
  models: readonly MergedModel[],
): readonly Setting[] {
  const lost = entries.find(({at}) => !models.some((model) => matches(at, model)));
  if (lost) {
    const shown = models.map(({at}) => shownAt(at)).join('; ');
    throw new StageError(
      `\`models\` has an entry for ${shownAt(lost.at)}, and no network is there.`,
      `Those that are merged: ${shown}. Axis values keep their type: 1 is not "1".`,
    );
  }
  const forAll = completed(all, UNSAID);
  return models.map((model) => {
    const own = entries.find((entry) => entry[field] !== undefined && matches(entry.at, model))?.[field];
    return own === undefined ? forAll : completed(own, forAll);
  });
}
