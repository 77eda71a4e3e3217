import {StageError} from '../../../src/stage/define-stage.ts';
import type {MagnitudeRule} from './magnitude-rule.ts';
import {matchesName} from './prunable.ts';
import {kthSmallest, selectExactly} from './selection.ts';

/** A prunable tensor: its weights, and 1 where a weight is left. */
export interface MaskedTensor {
  readonly name: string;
  readonly values: Float32Array;
  readonly bits: Uint8Array;
}

/**
 * The bits of each tensor after the smallest of its weights by magnitude have been removed; what was removed stays so. Rules and
 * their sources: docs/stages/tickets.md.
 *
 * @throws StageError when a rule would leave nothing.
 */
export function pruneByMagnitude(tensors: readonly MaskedTensor[], rule: MagnitudeRule): readonly Uint8Array[] {
  const pruned = prune(tensors, rule);
  if (pruned.some((bits) => bits.includes(1))) return pruned;
  throw nothingLeft(count(tensors));
}

const nothingLeft = (left: number): StageError =>
  new StageError(
    `This round of pruning would remove all of the ${left} weights that are left.`,
    'Prune less, or stop at an earlier level.',
  );

function prune(tensors: readonly MaskedTensor[], rule: MagnitudeRule): readonly Uint8Array[] {
  switch (rule.rule) {
    case 'open_lth': {
      const ignored = ({name}: MaskedTensor) => (rule.ignore ?? []).some((pattern) => matchesName(pattern, name));
      const taken = tensors.filter((tensor) => !ignored(tensor));
      const cut = cutOff(magnitudesLeft(taken), Math.ceil(rule.fraction * count(tensors)));
      return tensors.map((tensor) => (ignored(tensor) ? tensor.bits : above(tensor, cut)));
    }
    case 'original':
      return tensors.map((tensor) => {
        const own = (rule.rates ?? []).findLast(({of}) => matchesName(of, tensor.name));
        const left = magnitudesLeft([tensor]);
        return above(tensor, cutOff(left, roundHalfEven((own ?? rule).fraction * left.length)));
      });
    case 'bert-tickets': {
      const left = count(tensors);
      return keepLargest(tensors, left - roundHalfEven((1 / (10 - rule.round)) * left));
    }
    case 'exact':
      return keepLargest(tensors, keepCount(tensors, rule.keep));
  }
}

function keepCount(tensors: readonly MaskedTensor[], keep: number): number {
  const all = tensors.reduce((sum, {bits}) => sum + bits.length, 0);
  const wanted = Math.round(all * keep);
  const left = count(tensors);
  if (wanted <= left) return wanted;
  throw new StageError(
    `keep: ${keep} of ${all} weights is ${wanted}, and the mask has only ${left} left.`,
    'A level cannot keep more than the one before: give a smaller `keep`.',
  );
}

/** The magnitude that goes together with everything below it: number `index`, from 0, of the sorted ones. */
function cutOff(magnitudes: Float32Array, index: number): number {
  if (index < magnitudes.length) return kthSmallest(magnitudes, index + 1);
  throw nothingLeft(magnitudes.length);
}

const above = ({values, bits}: MaskedTensor, cut: number): Uint8Array =>
  bits.map((bit, index) => (bit === 1 && Math.abs(values[index] ?? 0) > cut ? 1 : 0));

/** Keeps exactly `keep` of the weights that are left: the largest, and among equal ones the first. */
function keepLargest(tensors: readonly MaskedTensor[], keep: number): readonly Uint8Array[] {
  const chosen = selectExactly(magnitudesLeft(tensors), keep).bits;
  let place = 0;
  return tensors.map(({bits}) => bits.map((bit) => (bit === 1 ? (chosen[place++] ?? 0) : 0)));
}

function magnitudesLeft(tensors: readonly MaskedTensor[]): Float32Array {
  const left = new Float32Array(count(tensors));
  let place = 0;
  for (const {values, bits} of tensors) {
    for (let index = 0; index < bits.length; index++)
      if (bits[index] === 1) left[place++] = Math.abs(values[index] ?? 0);
  }
  return left;
}

const count = (tensors: readonly MaskedTensor[]): number =>
  tensors.reduce((sum, {bits}) => bits.reduce((all, bit) => all + bit, sum), 0);

/** As Python and numpy round. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
