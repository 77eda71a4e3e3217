import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Engine} from './engine.ts';
import {alphasOf, CHAIN_DISTANCE, CHAIN_LENGTH, chains, type Study} from './tasks.ts';

const BASIN = fileURLToPath(new URL('../../bin/basin', import.meta.url));
const PRELOAD = fileURLToPath(new URL('./preload.ts', import.meta.url));
const FILE = 'pipeline.yaml';

/** How a person would write the chains: five nodes, swept; and one chain beside them, for an edit that concerns it alone. */
function sweptChains(n: number, edited: number): string {
  const others = `, sweep: {chain: {range: [2, ${n / CHAIN_LENGTH}, 1]}}`;
  const chain = (prefix: string, value: string, sweep: string, third: number): readonly string[] => [
    `  ${prefix}s0: {uses: start, with: {value: ${value}}${sweep}}`,
    ...[1, third, 3, 4].map(
      (add, at) => `  ${prefix}s${at + 1}: {uses: add, in: {to: ${prefix}s${at}.number}, with: {value: ${add}}}`,
    ),
  ];
  const lines = [
    ...chain('first-', String(CHAIN_DISTANCE), '', edited),
    ...chain('', '"$'.concat(`{chain * ${CHAIN_DISTANCE}}"`), others, 2),
  ];
  return ['name: chains', 'stages:', ...lines].join('\n');
}

/** Every task a node of its own, as programs write pipelines. */
function writtenChains(n: number, edited: number): string {
  const lines = chains(n, edited).map(({id, inputs: [above], value}) =>
    above === undefined
      ? `  ${id}: {uses: start, with: {value: ${value}}}`
      : `  ${id}: {uses: add, in: {to: ${above}.number}, with: {value: ${value}}}`,
  );
  return ['name: chains', 'stages:', ...lines].join('\n');
}

const studyText = (study: Study): string => `# a study ${study.comment}
name: study
stages:
  pretrain-load: {uses: start, with: {value: ${study.base}, modulus: 10}}
  finetune-A: {uses: add, in: {to: pretrain-load.number}, with: {value: ${study.seedA}}}
  finetune-B: {uses: add, in: {to: pretrain-load.number}, with: {value: ${study.seedB}}}
  interpolate:
    uses: between
    in: {a: finetune-A.number, b: finetune-B.number}
    sweep: {alpha: [${alphasOf(study).join(', ')}]}
  barrier: {uses: gather, in: {points: interpolate.points}}
  prune:
    uses: add
    in: {to: pretrain-load.number}
    with: {value: "\${keep}", factor: ${study.warmup}}
    sweep: {keep: [${study.keeps.join(', ')}]}
  retrain: {uses: add, in: {to: pretrain-load.number, and: prune.number}}
`;

function ranOf(stdout: string): number {
  const last: {readonly ran?: unknown} = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}');
  return typeof last.ran === 'number' ? last.ran : Number.NaN;
}

const INTERPOLATION = /"stage":"between"/;

/** Removes the blobs that records of interpolations name, as an eviction would. */
function deleteOutput(folder: string): void {
  const keys = join(folder, 'cache', 'keys');
  const records = readdirSync(keys, {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.json'));
  for (const name of records) {
    const text = readFileSync(join(keys, name), 'utf8');
    if (!INTERPOLATION.test(text)) continue;
    const {outputs}: {outputs: Record<string, {digest: string}>} = JSON.parse(text);
    for (const {digest} of Object.values(outputs))
      rmSync(join(folder, 'cache', 'blobs', digest.slice(0, 2), `${digest}.arrow`), {force: true});
  }
}

const command = (...args: readonly string[]): readonly string[] => [
  'env',
  `NODE_OPTIONS=--import=${PRELOAD}`,
  BASIN,
  ...args,
  '--cache',
  'cache',
];

const basinWith = (name: string, largest: number, text: (n: number, edited: number) => string): Engine => ({
  name,
  largest,
  absent: () => undefined,
  writeChains: (folder, n, edited) => writeFileSync(join(folder, FILE), text(n, edited)),
  writeStudy: (folder, study) => writeFileSync(join(folder, FILE), studyText(study)),
  command: command('run', FILE, '--json'),
  planCommand: command('plan', FILE),
  ran: (_, stdout) => ranOf(stdout),
  deleteOutput,
});

export const basin = basinWith('basin, swept', 100_000, sweptChains);
/** A pipeline file may have five megabytes. */
export const basinWritten = basinWith('basin, written out', 50_000, writtenChains);
