import {inspect} from 'node:util';

/** Whatever code of others threw, as an error that can be read: anything can be thrown, and reading it can throw again. Never throws. */
export function asError(thrown: unknown): Error {
  if (isReadable(thrown)) return thrown;
  const error = new Error(inWords(thrown));
  // It would say that the fault is here.
  delete error.stack;
  return error;
}

function isReadable(thrown: unknown): thrown is Error {
  try {
    return (
      thrown instanceof Error &&
      [thrown.name, thrown.message, thrown.stack ?? ''].every((text: unknown) => typeof text === 'string')
    );
  } catch {
    return false;
  }
}

const SAYS_NOTHING = /\[object \w+\]/;

function inWords(thrown: unknown): string {
  try {
    const text = String(thrown);
    if (!SAYS_NOTHING.test(text)) return text;
  } catch {
    // It has no form as a text.
  }
  try {
    const [first = ''] = inspect(thrown, {breakLength: Number.POSITIVE_INFINITY}).split('\n');
    return first;
  } catch {
    return 'something that cannot be read';
  }
}
