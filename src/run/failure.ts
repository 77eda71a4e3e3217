import {UserError} from '../base/user-error.ts';
import type {InstanceId} from '../graph/graph.ts';
import type {PlannedInstance} from '../plan/verdict.ts';
import type {Failure} from './event.ts';
import {timeOutMessage} from './time-limit.ts';
import type {JobEnd} from './worker-pool.ts';

const withHint = (hint: string | undefined): {hint: string} | object => (hint === undefined ? {} : {hint});

/** @throws what is a bug. */
export function failureOfError(error: unknown): Failure {
  if (!(error instanceof UserError)) throw error;
  return {message: error.message, ...withHint(error.hint)};
}

/** What went wrong, told to the person who can mend it; a stack is shown only for what is a bug. */
export function failureOfEnd(what: JobEnd): Failure {
  switch (what.end) {
    case 'died':
      return {
        message: `The worker process ended with ${what.how}.`,
        hint: what.how.includes('SIGKILL')
          ? 'The system may have run out of memory: try --jobs 1.'
          : what.logTail.length > 0
            ? 'Its last lines are shown.'
            : 'It wrote nothing before.',
        logTail: what.logTail,
      };
    case 'broke':
      return {
        message: `The stage broke: ${what.message}`,
        hint: 'Nothing caught this error. A stage of your own should await what it begins, or catch its errors.',
        logTail: [...what.logTail, ...(what.stack?.split('\n') ?? [])],
      };
    case 'overdue':
      return {
        message: `${timeOutMessage(what.seconds)} Its worker did not answer and was ended.`,
        hint: 'Raise "timeout" of the node, or leave it out. A stage of your own should await something now and then, so that it can be stopped at a checkpoint.',
        logTail: what.logTail,
      };
    case 'failed':
      switch (what.why) {
        case 'stage-error':
          return {message: what.message, ...withHint(what.hint), ...(what.program && {logTail: what.program.tail})};
        case 'crash':
          return {
            message: `The stage broke: ${what.message}`,
            hint: 'This is a bug of the stage or of basin, and not of your pipeline.',
            logTail: [...what.logTail, ...(what.stack?.split('\n') ?? [])],
          };
        case 'damaged-inputs':
        case 'stopped':
          throw new Error(`Internal error: ${what.why} is no failure`);
        default:
          return what satisfies never;
      }
    case 'done':
      return {message: 'The stage ended without giving its outputs.', hint: 'This is a bug of the stage.'};
    default:
      return what satisfies never;
  }
}

/** Of an instance that waits for what nothing that runs could give back. */
export const stuckFailure = (id: InstanceId, lacking: readonly string[]): Failure => ({
  message: `${id} needs more than this machine has of: ${lacking.join(', ')}.`,
  hint: 'Ask for less under "resources", or say what the machine has: --resources NAME=AMOUNT.',
});

export function unresolvedFailure({reason, instance}: PlannedInstance): Failure {
  if (reason.why !== 'unresolved') throw new Error(`Internal error: ${instance.id} has no parameters but is resolved`);
  return {
    message: `The parameter "${reason.parameter}" cannot be resolved: ${reason.detail}`,
    ...withHint(reason.hint),
  };
}
