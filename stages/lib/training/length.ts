import {z} from 'zod';

const FORM = /^(?:(\d{1,9})ep)?(?:(\d{1,9})it)?$/;

function partsOf(text: string): {readonly epochs: number; readonly iterations: number} | undefined {
  const match = FORM.exec(text);
  if (!match || text === '') return undefined;
  return {epochs: Number(match[1] ?? 0), iterations: Number(match[2] ?? 0)};
}

/** `2ep`, `50it` or `2ep50it`, in one way of writing it. */
function canonical({epochs, iterations}: {readonly epochs: number; readonly iterations: number}): string {
  if (epochs === 0) return `${iterations}it`;
  return iterations === 0 ? `${epochs}ep` : `${epochs}ep${iterations}it`;
}

/** Any span of training, none included; a whole number counts steps. */
export const spanSchema = z
  .union([z.int().min(0).max(999_999_999), z.string()])
  .transform((given, context) => {
    const parts = typeof given === 'number' ? {epochs: 0, iterations: given} : partsOf(given);
    if (parts) return canonical(parts);
    context.addIssue({
      code: 'custom',
      message: `"${given}" is no span of training: write 1ep, 200it, 1ep200it or a number of steps.`,
    });
    return z.NEVER;
  })
  .describe('A span of training: epochs (1ep), steps (200it), or both (1ep200it); a number counts steps.');

/** How long to train; `0it` hands the weights on as they are, the end of an axis of training lengths. */
export const lengthSchema = z
  .string()
  .transform((given, context) => {
    const parts = partsOf(given);
    if (parts) return canonical(parts);
    context.addIssue({code: 'custom', message: `"${given}" is no length of training: write 8ep, 1200it or 2ep50it.`});
    return z.NEVER;
  })
  .describe(
    'How long to train: epochs (8ep), steps (1200it), or both (2ep50it). The last partial batch of an epoch counts as a step.',
  );

/** How many steps there are in the whole training, of which a stage may make a part. */
export interface TrainingLength {
  readonly stepsPerEpoch: number;
  readonly steps: number;
}

/** What spans are counted in. */
export type Unit = 'step' | 'epoch';

/** `1 step`, `2 epochs`. */
export const counted = (count: number, unit: Unit): string => `${count} ${unit}${count === 1 ? '' : 's'}`;

/**
 * The one unit that all of these are written in; undefined where they need both, so that only the data tells how they compare, and where one
 * is no span, which its schema tells.
 */
export function sharedUnit(spans: readonly (string | undefined)[]): Unit | undefined {
  const given = spans.flatMap((span) => (span === undefined ? [] : [span]));
  const parts = given.flatMap((span) => partsOf(span) ?? []);
  if (parts.length < given.length) return undefined;
  if (parts.every(({epochs}) => epochs === 0)) return 'step';
  return parts.every(({iterations}) => iterations === 0) ? 'epoch' : undefined;
}

/** Optimizer steps of a checked span; with an epoch of 1 step, the epochs of one that is written in epochs. */
export function stepsOf(span: string, stepsPerEpoch: number): number {
  const {epochs, iterations} = checked(span);
  return epochs * stepsPerEpoch + iterations;
}

function checked(span: string) {
  const parts = partsOf(span);
  if (parts) return parts;
  throw new Error('Internal error: a span that its schema has not seen');
}
