import {fork} from 'node:child_process';
import {extname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import {tellingLine} from '../addon/program.ts';
import type {BackendName} from '../backend.ts';
import type {SelfTestMessage, SelfTestResult} from './result.ts';

/** Far longer than the slowest machine takes (two seconds are usual); only a hang meets it. */
const LIMIT_MS = 180_000;

const isMessage = (value: unknown): value is SelfTestMessage =>
  typeof value === 'object' && value !== null && 'state' in value;

/**
 * Tests a back end in a process of its own. A process that crashes, hangs or cannot load it is a reason, not an error:
 * the clause says in which operation it was.
 */
export function selfTest(backend: BackendName): Promise<Result<SelfTestResult, string>> {
  // The published package holds .js where the checkout holds .ts; a child is named as this file is.
  const program = fileURLToPath(new URL(`./child${extname(import.meta.url)}`, import.meta.url));
  return new Promise((resolve) => {
    let at = 'loading';
    let said = '';
    let result: SelfTestResult | undefined;
    const child = fork(program, [backend], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-8000);
      });
    }
    child.on('message', (message) => {
      if (!isMessage(message)) return;
      if (message.state === 'started') at = message.case;
      else result = message.result;
    });
    child.on('error', (error) => resolve(fail(error.message)));
    child.on('close', (code, signal) => {
      if (result) resolve(ok(result));
      else resolve(fail(signal ? `${signal} in "${at}"` : `exit ${code} in "${at}": ${tellingLine(said)}`));
    });
  });
}
