import type {z} from 'zod';
import {StageError} from '../../../src/stage/define-stage.ts';
import {counted, sharedUnit, stepsOf, type Unit} from './length.ts';
import {inSteps, isFraction, type ScheduleParameter} from './schedule.ts';

/** Spans of training that do not fit into each other, told alike by a plan and by a stage that runs. */
export interface SpanFault {
  readonly message: string;
  readonly hint: string;
  /** The parameter that is at fault. */
  readonly path: readonly string[];
}

interface Spans {
  readonly length: string;
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly schedule: ScheduleParameter;
}

/** The steps that are made: those after `first`, up to `last`. */
export interface Part {
  readonly first: number;
  readonly last: number;
}

export function partOf(
  {from = '0it', until}: Pick<Spans, 'from' | 'until'>,
  steps: number,
  stepsPerEpoch: number,
): Part {
  return {first: stepsOf(from, stepsPerEpoch), last: until === undefined ? steps : stepsOf(until, stepsPerEpoch)};
}

export const partFault = ({first, last}: Part, steps: number, unit: Unit = 'step'): SpanFault | undefined =>
  first > last || last > steps
    ? {
        message: `A training of ${counted(steps, unit)} has no part from ${unit} ${first} to ${unit} ${last}.`,
        hint: '`from` lies before `until`, and both within `length`.',
        path: [last > steps ? 'until' : 'from'],
      }
    : undefined;

export const warmupFault = (warmup: number, steps: number, unit: Unit = 'step'): SpanFault | undefined =>
  warmup > 0 && warmup >= steps
    ? {
        message: `A warm-up of ${counted(warmup, unit)} leaves none of ${steps}.`,
        hint: 'Shorten `schedule.warmup`, or lengthen `length`.',
        path: ['schedule', 'warmup'],
      }
    : undefined;

/** @throws StageError when there is a fault. */
export function refuse(fault: SpanFault | undefined): void {
  if (fault) throw new StageError(fault.message, fault.hint);
}

/** For a schema of training: tells what is wrong whatever the data, which is where spans that are compared share a unit. */
export function checkSpans({length, from, until, schedule}: Spans, context: z.core.$RefinementCtx): void {
  const partUnit = sharedUnit([length, from, until]);
  if (partUnit) {
    const steps = stepsOf(length, 1);
    report(context, partFault(partOf({from, until}, steps, 1), steps, partUnit));
  }
  const {warmup} = schedule;
  if (isFraction(warmup)) return;
  const warmupUnit = sharedUnit([length, typeof warmup === 'number' ? `${warmup}it` : warmup]);
  const steps = stepsOf(length, 1);
  if (warmupUnit) report(context, warmupFault(inSteps(schedule, {steps, stepsPerEpoch: 1}).warmup, steps, warmupUnit));
}

export function report(context: z.core.$RefinementCtx, fault: SpanFault | undefined): void {
  if (!fault) return;
  const {message, hint, path} = fault;
  context.addIssue({code: 'custom', message, path: [...path], params: {hint}});
}
