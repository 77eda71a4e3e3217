import {StageError} from '../../../src/stage/define-stage.ts';

interface Asked {
  readonly hubUrl: string;
  readonly model: string;
  readonly revision: string;
  /** Where the token is from that was sent. */
  readonly tokenFrom: string | undefined;
}

/** The answer's HTTP status, where the hub's client threw one. */
const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const {cause} = error;
  if (cause instanceof Error) return 'code' in cause ? `${String(cause.code)}` : cause.message;
  return error.message;
}

/** What a person is told of a failed request to the hub; a fault of the local disk stays as it is. */
export function hubFault(error: unknown, {hubUrl, model, revision, tokenFrom}: Asked): unknown {
  if (error instanceof StageError || (error instanceof Error && 'syscall' in error && 'path' in error)) return error;
  const status = statusOf(error);
  switch (status) {
    case undefined:
      return new StageError(
        `${model} cannot be fetched from ${hubUrl}: ${reasonOf(error)}.`,
        'Check the network and HF_ENDPOINT, and run it again.',
      );
    case 401:
    case 403:
      return new StageError(
        `${hubUrl} does not give ${model} (${status}): it is private or gated, or there is none of this name.`,
        tokenFrom === undefined
          ? 'Check the name; for a private or gated model log in with `hf auth login`, or set HF_TOKEN.'
          : `Check the name; else the token of ${tokenFrom} has no access: accept the conditions on the page of the model.`,
      );
    case 404:
      return new StageError(
        `There is no ${model} with a revision ${revision} on ${hubUrl} (404).`,
        'Check the name and the revision.',
      );
    default:
      return new StageError(`${hubUrl} answers ${status} for ${model}.`, 'Run it again later.');
  }
}
