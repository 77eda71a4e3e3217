import type {Case, WorkName} from './cases.ts';
import {PEAK_PRODUCT} from './operations.ts';
import type {Side} from './side.ts';
import {ALPHAS, INTERVAL} from './work.ts';

/** A side with the case it works on; sides of one comparison may differ in it (PLATON beside the bare step). */
export interface Contestant {
  readonly name: string;
  readonly one: Case;
  readonly side: Side;
}

export interface Measured {
  readonly name: string;
  readonly one: Case;
  /** From the request to the first loss in a warm process: data, recording, compiling, one unit. Milliseconds. */
  readonly first: number;
  /** The most memory until then, and from then on, in MiB. */
  readonly startMemory: number;
  readonly memory: number;
  /** Losses of the first units. */
  readonly values: readonly number[];
  /** Milliseconds a unit in each round. */
  readonly rounds: readonly number[];
  /** Of its fastest product, in GFLOP/s. */
  readonly gflops: number;
}

interface Rounds {
  readonly rounds: number;
  /** About how long one side works in a round, in milliseconds. */
  readonly duration: number;
}

/** Values of what is reported as one unit, and the least number of them in a round. */
function grainOf(work: WorkName): {readonly unit: number; readonly least: number} {
  switch (work) {
    case 'train':
    case 'eval':
      return {unit: 1, least: 1};
    case 'platon':
      return {unit: 1, least: INTERVAL};
    case 'sweep':
      return {unit: ALPHAS.length, least: ALPHAS.length};
  }
}

/** Units whose losses are compared before anything is timed. */
const COMPARED = 3;

async function warmUp({name, one, side}: Contestant, duration: number) {
  const {unit, least} = grainOf(one.work);
  await side.memory();
  const first = await side.run(1);
  const startMemory = await side.memory();
  const second = await side.run(Math.max(COMPARED, unit) - 1);
  const values = [...first.values, ...second.values];
  const warm = await side.run(least);
  const count = least * Math.max(1, Math.round(duration / warm.milliseconds));
  const laps: number[] = [];
  return {name, one, side, unit, count, startMemory, values, laps, first: first.milliseconds};
}

/**
 * Sides take turns, round after round, so that whatever else the machine does meets all of them. One that cannot begin is told to
 * `leftOut` and takes no part.
 */
export async function measure(
  contestants: readonly Contestant[],
  {rounds, duration}: Rounds,
  leftOut: (contestant: Contestant, why: string) => void,
): Promise<Measured[]> {
  const started: Awaited<ReturnType<typeof warmUp>>[] = [];
  for (const contestant of contestants) {
    try {
      started.push(await warmUp(contestant, duration));
    } catch (error) {
      leftOut(contestant, error instanceof Error ? error.message : String(error));
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const {side, unit, count, laps} of started) {
      const {milliseconds} = await side.run(count);
      laps.push((milliseconds / count) * unit);
    }
  }
  const measured: Measured[] = [];
  for (const {name, one, side, startMemory, values, laps, first} of started) {
    const memory = await side.memory();
    measured.push({
      name,
      one,
      first,
      startMemory,
      memory,
      values,
      rounds: laps,
      gflops: await side.multiply(PEAK_PRODUCT),
    });
  }
  return measured;
}
