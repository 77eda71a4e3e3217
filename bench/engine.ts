import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {availableParallelism, cpus, loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {basin, basinShell, basinUserStage, basinWritten} from './engine/basin.ts';
import type {Engine} from './engine/engine.ts';
import {installEngines} from './engine/install.ts';
import {peakMemory, timed} from './engine/measure.ts';
import {executed, SCENARIOS} from './engine/semantics.ts';
import {dvc, make, ninja, snakemake, turbo, wireit} from './engine/shell-engines.ts';
import {spreadOf} from './engine/spread.ts';
import {EDIT_IDEAL} from './engine/tasks.ts';
import {readOptions} from './options.ts';

/*
 * The same generated graph, n/5 chains of five trivial tasks, brought up to date by basin and by the engines that its users come from:
 * from nothing, with nothing to do, and after one value was edited; and how many tasks each runs after eight edits of a study.
 * basin does so with stages that do nothing, with a stage of the user's, and with the shell commands that the others run.
 * Engines take turns, round by round, so that whatever else the machine does meets all of them.
 *
 *   bin/basin-node bench/engine.ts [--sizes 1000,10000] [--engines "basin, swept;ninja"] [--rounds 5] [--all] [--json] [--install]
 *
 * `--install` first fetches the engines that npm and pip have; `--all` asks large sizes of slow engines too.
 */

const ENGINES: readonly Engine[] = [
  basin,
  basinWritten,
  basinUserStage,
  basinShell,
  ninja,
  make,
  turbo,
  wireit,
  snakemake,
  dvc,
];

const {values: options} = readOptions(import.meta.filename, {
  options: {
    sizes: {type: 'string', default: '1000,10000'},
    engines: {type: 'string'},
    rounds: {type: 'string', default: '5'},
    all: {type: 'boolean', default: false},
    json: {type: 'boolean', default: false},
    install: {type: 'boolean', default: false},
  },
});
const sizes = options.sizes.split(',').map(Number);
const rounds = Number(options.rounds);
const asked = options.engines?.split(';');
const unknown = asked?.filter((name) => !ENGINES.some((engine) => engine.name === name)) ?? [];
if (unknown.length > 0 || !(rounds >= 1) || !sizes.every((n) => n >= 10 && n % 5 === 0)) {
  console.error(`bench/engine: engines are "${ENGINES.map(({name}) => name).join(';')}"; sizes are multiples of 5.`);
  process.exit(2);
}
if (options.install) installEngines();

interface Line {
  readonly case: string;
  readonly engine: string;
  readonly n: number;
  /** Median of the rounds; the others are the lowest and the highest. */
  readonly seconds: number;
  readonly fastest: number;
  readonly slowest: number;
  readonly executed: number | null;
  readonly ideal: number | null;
  readonly peak_mb: number | null;
}

const shown = ({seconds, fastest, slowest}: Line): string =>
  `${seconds.toFixed(2)} (${fastest.toFixed(2)}–${slowest.toFixed(2)})`;

function tell(line: Line): void {
  if (options.json) console.log(JSON.stringify(line));
  else
    console.log(
      `| ${[line.case, line.engine, line.n, shown(line), line.executed ?? '', line.ideal ?? '', line.peak_mb?.toFixed(0) ?? ''].join(' | ')} |`,
    );
}

/** One engine at one size, and what each case measured. */
interface Candidate {
  readonly engine: Engine;
  readonly n: number;
  readonly folder: string;
  readonly cold: Round;
  readonly cases: Map<string, Round[]>;
  readonly peak: number | null;
}
interface Round {
  readonly seconds: number;
  readonly executed: number | null;
  readonly ideal: number | null;
}

async function prepare(engine: Engine, n: number, folder: string): Promise<Candidate> {
  mkdirSync(folder);
  engine.writeChains(folder, n, 2);
  const {seconds, stdout} = timed(engine.command, folder);
  const cold = {seconds, executed: engine.ran(folder, stdout), ideal: n};
  const peak = await peakMemory(engine.command, folder);
  return {engine, n, folder, cold, cases: new Map(), peak};
}

/** An engine that breaks on this graph is left out of its table, and why is said. */
async function unlessItFails<T>(engine: Engine, work: () => Promise<T>): Promise<readonly T[]> {
  try {
    return [await work()];
  } catch (error) {
    console.error(`bench/engine: ${engine.name} is left out: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

function measure({engine, n, folder, cases}: Candidate, round: number): void {
  const note = (name: string, one: Round): void => {
    cases.set(name, [...(cases.get(name) ?? []), one]);
  };
  const run = (name: string, ideal: number): void => {
    const {seconds, stdout} = timed(engine.command, folder);
    note(name, {seconds, executed: engine.ran(folder, stdout), ideal});
  };
  const plan = (name: string): void => {
    if (engine.planCommand) note(name, {seconds: timed(engine.planCommand, folder).seconds, executed: 0, ideal: 0});
  };
  run('no-op', 0);
  plan('no-op plan');
  // Never the same value again, nor one that gives a number another chain has: equal work is not done twice.
  engine.writeChains(folder, n, 10_000_000 + round);
  plan('one-key edit plan');
  run('one-key edit', EDIT_IDEAL);
}

const root = mkdtempSync(join(tmpdir(), 'basin-bench-'));
const load = (): string => (loadavg()[0] ?? Number.NaN).toFixed(1);
const before = load();
try {
  const engines = ENGINES.filter(({name, absent}) => {
    if (asked && !asked.includes(name)) return false;
    const why = absent();
    if (why !== undefined) console.error(`bench/engine: ${name} is left out: ${why}. --install may bring it.`);
    return why === undefined;
  });
  if (!options.json) {
    console.log('| case | engine | tasks | seconds | ran | ideal | peak, MiB |\n|---|---|---|---|---|---|---|');
  }
  for (const n of sizes) {
    const candidates: Candidate[] = [];
    for (const [at, engine] of engines.entries()) {
      if (n > engine.largest && !options.all)
        console.error(`bench/engine: ${engine.name} is not asked for ${n} tasks without --all.`);
      else candidates.push(...(await unlessItFails(engine, () => prepare(engine, n, join(root, `${n}-${at}`)))));
    }
    for (let round = 0; round < rounds; round++) for (const candidate of candidates) measure(candidate, round);
    for (const {engine, cold, cases, peak} of candidates) {
      for (const [name, times] of [['cold', [cold]] as const, ...cases]) {
        const {median, low, high} = spreadOf(times.map(({seconds}) => seconds));
        const {executed = null, ideal = null} = times.at(-1) ?? {};
        const measured = {seconds: median, fastest: low, slowest: high, executed, ideal};
        tell({case: name, engine: engine.name, n, ...measured, peak_mb: name === 'no-op' ? peak : null});
      }
    }
    for (const {folder} of candidates) rmSync(folder, {recursive: true, force: true});
  }
  for (const [at, engine] of engines.entries()) {
    for (const {scenario, ran, seconds} of executed(engine, join(root, `study-${at}`))) {
      const once = {seconds, fastest: seconds, slowest: seconds};
      tell({
        case: scenario.name,
        engine: engine.name,
        n: 19,
        ...once,
        executed: ran,
        ideal: scenario.ideal,
        peak_mb: null,
      });
    }
  }
} finally {
  rmSync(root, {recursive: true, force: true});
}
if (!options.json) {
  console.log(
    `\n${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}; median of ${rounds} rounds (lowest–highest); load ${before} before, ${load()} after; ${SCENARIOS.length} edits of a study.`,
  );
}
