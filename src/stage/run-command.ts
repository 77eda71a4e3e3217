import {type ChildProcess, spawn} from 'node:child_process';
import {access, constants} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {createInterface} from 'node:readline';
import type {Readable} from 'node:stream';
import {UserError} from '../base/user-error.ts';

const TAIL_LINES = 20;
/** From the request to end until it is made to. */
const GRACE_MILLISECONDS = 5_000;
/** For output that is still in the pipe when the program has ended; a process that left the group may hold it open. */
const DRAIN_MILLISECONDS = 1_000;

/** A program that did not do what it was asked to; another attempt may end better. */
export class CommandError extends UserError {
  readonly tail: readonly string[];
  constructor(message: string, hint: string | undefined, tail: readonly string[]) {
    super(message, hint);
    this.tail = tail;
  }
}

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  line(line: string): void;
  /** What to wait for before more is read, where lines come faster than they are taken. */
  taken(): Promise<unknown> | undefined;
}

/**
 * Runs a program to its end, in a process group of its own that is gone when this has ended, or when this process has, in whatever way.
 *
 * @throws CommandError when there is no such program or it fails, and the signal's reason when that is aborted.
 */
export async function runCommand(command: Command): Promise<void> {
  const {program, folder, env, signal} = command;
  await findProgram(program, folder, env.PATH ?? '');
  signal.throwIfAborted();
  // One pipe for both streams keeps their lines in the order in which they were written.
  const child = spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', program, ...command.arguments], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const watcher = watchOver(child);
  const tail: string[] = [];
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    killGroup(child, 'SIGTERM');
    grace = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MILLISECONDS);
  };
  signal.addEventListener('abort', stop, {once: true});
  try {
    const line = (text: string): void => {
      tail.push(text);
      if (tail.length > TAIL_LINES) tail.shift();
      command.line(text);
    };
    const how = await ended(child, line, () => command.taken());
    if (signal.aborted && signal.reason instanceof UserError)
      throw new CommandError(signal.reason.message, signal.reason.hint, tail);
    signal.throwIfAborted();
    if (how !== undefined)
      throw new CommandError(
        `${program} ended with ${how}.`,
        tail.length > 0 ? 'Its last lines are shown.' : 'It wrote nothing.',
        tail,
      );
  } finally {
    signal.removeEventListener('abort', stop);
    // From here on its id may be another's.
    clearTimeout(grace);
    watcher.kill('SIGKILL');
  }
}

/** How it ended; nothing when well. */
function ended(
  child: ChildProcess,
  line: (line: string) => void,
  taken: () => Promise<unknown> | undefined,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    child.on('error', ({message}) => reject(new UserError(`A program cannot be started: ${message}.`)));
    if (child.stdout) followLines(child, child.stdout, line, taken);
    child.on('exit', () => {
      killGroup(child, 'SIGKILL');
      setTimeout(() => child.stdout?.destroy(), DRAIN_MILLISECONDS).unref();
    });
    child.on('close', (code, by) => resolve(by ? `signal ${by}` : code === 0 ? undefined : `exit code ${code}`));
  });
}

/** Lets a program that writes faster than its lines are taken wait. What has ended left no more than fits the pipe. */
function followLines(
  child: ChildProcess,
  output: Readable,
  line: (line: string) => void,
  taken: () => Promise<unknown> | undefined,
): void {
  let isWaiting = false;
  let hasEnded = false;
  const goOn = (): void => {
    isWaiting = false;
    output.resume();
  };
  child.on('exit', () => {
    hasEnded = true;
    goOn();
  });
  createInterface({input: output}).on('line', (text) => {
    line(text);
    const toWaitFor = isWaiting || hasEnded ? undefined : taken();
    if (!toWaitFor) return;
    isWaiting = true;
    output.pause();
    toWaitFor.then(goOn, goOn);
  });
}

/** Reads a pipe that nobody writes to: its end is the end of this process, after which the program must not live on. */
const watchOver = ({pid}: ChildProcess): ChildProcess =>
  spawn('/bin/sh', ['-c', 'read -r nothing; kill -s KILL -- "-$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });

function killGroup({pid}: ChildProcess, by: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (pid !== undefined) process.kill(-pid, by);
  } catch {
    // The group has ended already.
  }
}

async function findProgram(program: string, folder: string, path: string): Promise<void> {
  const places = program.includes('/') ? [''] : path.split(delimiter).filter((place) => place !== '');
  let found = false;
  for (const place of places) {
    const file = program.startsWith('/') ? program : join(place === '' ? folder : place, program);
    if (await may(file, constants.X_OK)) return;
    found ||= await may(file, constants.F_OK);
  }
  if (found) throw new CommandError(`${program} may not be executed.`, `Give it the right to: chmod +x ${program}`, []);
  throw program.includes('/')
    ? new CommandError(
        `There is no program ${program}.`,
        'Name it under "files"; paths start at the folder of the pipeline file.',
        [],
      )
    : new CommandError(`There is no program "${program}" on the PATH.`, `The PATH is ${path}`, []);
}

const may = (file: string, mode: number): Promise<boolean> =>
  access(file, mode).then(
    () => true,
    () => false,
  );
