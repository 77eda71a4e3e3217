import {z} from 'zod';
import type {Row} from '../../../src/artifact/kinds.ts';
import type {Checkpoints} from '../../../src/stage/checkpoint.ts';
import type {Layer} from './layers.ts';
import {type Move, type MoveSettings, movesOf} from './moves.ts';

/** How a network does on one split; loss in nats, error in percent. */
export interface Score {
  readonly split: string;
  readonly loss: number;
  readonly error: number;
}

export const LAYERWISE_COLUMNS = {
  layer: 'utf8',
  rest: 'utf8',
  split: 'utf8',
  loss: 'float64',
  error: 'float64',
  loss_barrier: 'float64',
  error_barrier: 'float64',
  layers: 'int32',
  size: 'int32',
  distance: 'float64',
} as const;

const scoresSchema = z.array(z.array(z.object({split: z.string(), loss: z.number(), error: z.number()})));

/**
 * How far loss and error of each move lie above the mean of the two whole networks, a row a split; of several samples of a move
 * their mean.
 *
 * @param evaluate scores of a vector, one a split, always in one order; `done` counts the vectors before it.
 */
export async function layerwiseRows(
  {a, b, layers}: {readonly a: Float32Array; readonly b: Float32Array; readonly layers: readonly Layer[]},
  settings: MoveSettings,
  evaluate: (flat: Float32Array, done: number) => Promise<readonly Score[]>,
  checkpoints: Checkpoints,
): Promise<Row[]> {
  const known = scoresSchema.safeParse((await checkpoints.load())?.position).data ?? [];
  const scores: (readonly Score[])[] = [];
  const measure = async (flat: Float32Array): Promise<readonly Score[]> => {
    const found = known[scores.length] ?? (await evaluate(flat, scores.length));
    scores.push(found);
    await checkpoints.offer(() => ({position: scoresSchema.parse(scores), arrays: {}}));
    return found;
  };
  const baseline = meanOf([await measure(a), await measure(b)]);
  const samples = new Map<Move, (readonly Score[])[]>();
  for (const {move, flat} of movesOf(a, b, layers, settings)) {
    const found = await measure(flat);
    samples.set(move, [...(samples.get(move) ?? []), found]);
  }
  return [...samples].flatMap(([move, found]) =>
    meanOf(found).map(({split, loss, error}, index) => ({
      ...move,
      ...{split, loss, error},
      loss_barrier: loss - (baseline[index]?.loss ?? Number.NaN),
      error_barrier: error - (baseline[index]?.error ?? Number.NaN),
    })),
  );
}

/** The mean of several scores, split by split. */
function meanOf(scores: readonly (readonly Score[])[]): readonly Score[] {
  const mean = (index: number, quantity: 'loss' | 'error'): number =>
    scores.reduce((sum, own) => sum + (own[index]?.[quantity] ?? Number.NaN), 0) / scores.length;
  return (scores[0] ?? []).map(({split}, index) => ({split, loss: mean(index, 'loss'), error: mean(index, 'error')}));
}
