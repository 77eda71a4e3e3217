import {availableParallelism} from 'node:os';
import {performance} from 'node:perf_hooks';
import type {Tf} from '../stages/tensor/library.ts';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {casesNamed} from './cases.ts';
import {readOptions} from './options.ts';
import {workOf} from './work.ts';

/*
 * Where the time of a unit of work goes: calls into TensorFlow by kind of operation, timed from JavaScript around each call of
 * the addon, which returns when the operation is done. The rest is JavaScript: TensorFlow.js itself, the input pipeline, the loop.
 *
 *   bin/basin-node bench/profile.ts [D192-L6.b32.train.fp32] [--units 10] [--threads N]
 */

const {values: options, positionals} = readOptions(import.meta.filename, {
  allowPositionals: true,
  options: {
    units: {type: 'string', default: '10'},
    threads: {type: 'string', default: String(availableParallelism())},
  },
});
const [one, ...more] = casesNamed([positionals[0] ?? 'D192-L6.b32.train.fp32']) ?? [];
const [units, threads] = [Number(options.units), Number(options.threads)];
if (!one || more.length > 0 || !(units >= 1) || !(threads >= 1)) {
  console.error('bench/profile: name one case as bench/train.ts --list does; units and threads are at least 1.');
  process.exit(2);
}

interface Spent {
  calls: number;
  milliseconds: number;
}

/** Times every call that goes into the addon from now on, by operation, or by function where it is none. */
function timeCalls(tf: Tf): Map<string, Spent> {
  const backend = tf.backend();
  const binding: unknown = Reflect.get(backend, 'binding');
  if (typeof binding !== 'object' || binding === null) throw new Error('This back end has no addon to time.');
  const spent = new Map<string, Spent>();
  const timed = Object.getOwnPropertyNames(binding).map((name) => {
    const original: unknown = Reflect.get(binding, name);
    if (typeof original !== 'function') return [name, original] as const;
    const call = (...given: unknown[]): unknown => {
      const start = performance.now();
      try {
        return Reflect.apply(original, binding, given);
      } finally {
        const kind = name === 'executeOp' ? String(given[0]) : name;
        const {calls, milliseconds} = spent.get(kind) ?? {calls: 0, milliseconds: 0};
        spent.set(kind, {calls: calls + 1, milliseconds: milliseconds + performance.now() - start});
      }
    };
    return [name, call] as const;
  });
  Object.assign(backend, {binding: Object.fromEntries(timed)});
  return spent;
}

const tf = await loadTensorLibrary('tensorflow', {threads});
const work = workOf(tf, one);
for (let unit = 0; unit < 3; unit++) await work.next();
const spent = timeCalls(tf);
const start = performance.now();
for (let unit = 0; unit < units; unit++) await work.next();
const whole = performance.now() - start;

const rows = [...spent].toSorted(([, a], [, b]) => b.milliseconds - a.milliseconds);
const inside = rows.reduce((sum, [, {milliseconds}]) => sum + milliseconds, 0);
const line = (kind: string, calls: string, milliseconds: number): void => {
  const share = `${((100 * milliseconds) / whole).toFixed(1)} %`;
  console.log(
    `${kind.padEnd(28)}${calls.padStart(8)}${(milliseconds / units).toFixed(2).padStart(11)}${share.padStart(9)}`,
  );
};
console.log(`${one.id}, ${threads} threads, mean of ${units} units\n`);
console.log(`${'operation'.padEnd(28)}${'calls'.padStart(8)}${'ms'.padStart(11)}${'share'.padStart(9)}`);
for (const [kind, {calls, milliseconds}] of rows) {
  if (milliseconds > whole / 1000) line(kind, (calls / units).toFixed(0), milliseconds);
}
line('JavaScript', '', whole - inside);
line('all', '', whole);
process.exit(0); // the stage waits at its turnstile
