import {type ChildProcess, type ChildProcessByStdio, spawn} from 'node:child_process';
import {access, constants, realpath, stat} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import type {Readable} from 'node:stream';
import {UserError} from '../base/user-error.ts';
import {END_STRAGGLERS, endStragglers} from './stragglers.ts';
import {tooLong} from './too-long.ts';

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

type Program = ChildProcessByStdio<null, Readable, null>;

export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Takes what the program writes, which waits meanwhile; what this throws ends it. */
  take(bytes: Uint8Array): Promise<void>;
  /** Told that this was all; gives the last lines. */
  end(): readonly string[];
}

/**
 * Runs a program to its end, in a process group of its own that is gone when this has ended, or when this process has, in whatever way; so is
 * what left the group and still works in the folder.
 *
 * @throws CommandError when there is no such program or it fails, and the signal's reason when that is aborted.
 */
export async function runCommand(command: Command): Promise<void> {
  const {program, folder, env, signal} = command;
  await findProgram(program, folder, env.PATH ?? '');
  const place = await realpath(folder);
  signal.throwIfAborted();
  const child = start(command);
  const watcher = watchOver(child, place);
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    killGroup(child, 'SIGTERM');
    grace = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MILLISECONDS);
  };
  signal.addEventListener('abort', stop, {once: true});
  try {
    const [how] = await Promise.all([ended(child, place), handOver(child, command)]);
    const tail = command.end();
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

function start({program, arguments: given, folder, env}: Command): Program {
  try {
    // One pipe for both streams keeps their lines in the order in which they were written.
    return spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', program, ...given], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'E2BIG' ? tooLong(program, given, env) : error;
  }
}

/** How it ended; nothing when well. */
function ended(child: Program, folder: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    child.on('error', ({message}) => reject(new UserError(`A program cannot be started: ${message}.`)));
    child.on('exit', () => {
      killGroup(child, 'SIGKILL');
      endStragglers(folder);
      setTimeout(() => child.stdout.destroy(), DRAIN_MILLISECONDS).unref();
    });
    child.on('close', (code, by) => resolve(by ? `signal ${by}` : code === 0 ? undefined : `exit code ${code}`));
  });
}

/** All that it writes, until it ends or the wait for the rest does. */
async function handOver(child: Program, {take}: Command): Promise<void> {
  const pieces = child.stdout[Symbol.asyncIterator]();
  for (;;) {
    const piece = await pieces.next().catch(() => undefined);
    if (!(piece?.value instanceof Uint8Array)) return;
    try {
      await take(piece.value);
    } catch (error) {
      killGroup(child, 'SIGKILL');
      child.stdout.destroy();
      throw error;
    }
  }
}

/** Reads a pipe that nobody writes to: its end is the end of this process, after which the program must not live on. */
const watchOver = ({pid}: ChildProcess, folder: string): ChildProcess =>
  spawn(
    '/bin/sh',
    ['-c', `read -r nothing; kill -s KILL -- "-$1"; folder=$2${END_STRAGGLERS}`, 'sh', String(pid), folder],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  );

function killGroup({pid}: ChildProcess, by: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (pid !== undefined) process.kill(-pid, by);
  } catch {
    // The group has ended already.
  }
}

const NAME_IT = 'Name it under "files"; paths start at the folder of the pipeline file.';

async function findProgram(program: string, folder: string, path: string): Promise<void> {
  const places = program.includes('/') ? [''] : path.split(delimiter).filter((place) => place !== '');
  let found = false;
  for (const place of places) {
    const file = program.startsWith('/') ? program : join(place === '' ? folder : place, program);
    const status = await stat(file).catch(() => undefined);
    if (!status || (status.isDirectory() && place !== '')) continue;
    if (status.isDirectory())
      throw new CommandError(`${program} is a folder, and no program.`, 'Name the file in it that is to run.', []);
    if (await mayRun(file)) return;
    found = true;
  }
  if (found) throw new CommandError(`${program} may not be executed.`, `Give it the right to: chmod +x ${program}`, []);
  throw program.includes('/')
    ? new CommandError(`There is no program ${program}.`, NAME_IT, [])
    : new CommandError(`There is no program "${program}" on the PATH.`, `The PATH is ${path}`, []);
}

const mayRun = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
