import {spawn} from 'node:child_process';

export interface ProgramResult {
  /** Exit code, or the name of the signal that ended it, or why it did not start. */
  readonly outcome: number | string;
  /** The end of what it wrote to both outputs. */
  readonly said: string;
}

const KEPT_CHARACTERS = 8000;

/** Runs a program to its end with nothing on its standard input. Never throws: a program that does not start is an outcome. */
export function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    let said = '';
    const child = spawn(program, args, {env: {...process.env, ...env}, stdio: ['ignore', 'pipe', 'pipe']});
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-KEPT_CHARACTERS);
      });
    }
    child.on('error', (error) => resolve({outcome: error.message, said}));
    child.on('close', (code, signal) => resolve({outcome: code ?? signal ?? 'ended', said}));
  });
}

/** The line of a program's output that says most: its last one with the word error, else its last one. */
export function tellingLine(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it said nothing').trim();
}
