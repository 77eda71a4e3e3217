import type {OwnResult, Result} from './result.ts';

const HEAD = [
  'case',
  'basin, ms',
  'peer',
  'its ms',
  'ratio',
  'lowest–highest',
  'of minima',
  'share of peak',
  "peer's",
  'first, ms',
  'MiB at start, then',
  "peer's",
];

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export const tableHead = (): string => `${row(HEAD)}\n|${'---|'.repeat(HEAD.length)}`;

/** A result as a row of the table in docs/benchmarks.md. */
export function tableRow(result: Result): string {
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const times = (ratio: number): string => ratio.toFixed(2);
  const [low, high] = result.spread;
  const overheads =
    result.overhead === undefined || result.peer_overhead === undefined
      ? ''
      : ` (PLATON ${percent(result.overhead)} above the bare step, peer's ${percent(result.peer_overhead)})`;
  return row([
    `${result.case}${overheads}`,
    milliseconds(result.basin_ms),
    result.peer,
    milliseconds(result.peer_ms),
    `**${times(result.ratio)}**`,
    `${times(low)}–${times(high)}`,
    times(result.ratio_of_minima),
    percent(result.share_of_peak),
    percent(result.peer_share_of_peak),
    milliseconds(result.basin_first_ms),
    `${result.basin_start_mib}, ${result.basin_mib}`,
    `${result.peer_mib}`,
  ]);
}

/** What has no peer: its time and spread, and nothing in the other columns. */
export function ownRow({case: name, basin_ms, basin_spread: [low, high], times_in_sweep}: OwnResult): string {
  const share = times_in_sweep === undefined ? '' : ` (a ${times_in_sweep.toFixed(1)}th of the sweep)`;
  const cells = [`${name}${share}`, `${milliseconds(basin_ms)} (${milliseconds(low)}–${milliseconds(high)})`];
  return row([...cells, ...HEAD.slice(cells.length).map(() => '')]);
}

const milliseconds = (time: number): string => (time < 100 ? time.toFixed(1) : time.toFixed(0));
