import {existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {Engine} from './engine.ts';
import {alphasOf, CHAIN_DISTANCE, CHAIN_LENGTH, chains, STEP_SCRIPT, type Study, type Task} from './tasks.ts';
import {trivialCheckout} from './trivial-checkout.ts';

const BASIN = fileURLToPath(new URL('../../bin/basin', import.meta.url));
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
const writtenChains = (node: (task: Task) => string) => (n: number, edited: number) =>
  ['name: chains', 'stages:', ...chains(n, edited).map((task) => `  ${task.id}: ${node(task)}`)].join('\n');

const trivialNode = ({inputs: [above], value}: Task): string =>
  above === undefined
    ? `{uses: start, with: {value: ${value}}}`
    : `{uses: add, in: {to: ${above}.number}, with: {value: ${value}}}`;

/** The very shell commands that the other engines run. */
function shellNode({inputs: [above], value, modulus}: Task): string {
  const end = 'files: [step.sh], out: {number: {kind: file}}';
  const call = `sh, step.sh, "\${out.number}", "${value}", "${modulus}"`;
  return above === undefined
    ? `{run: [${call}], ${end}}`
    : `{run: [${call}, "\${in.to}"], ${end}, in: {to: ${above}.number}}`;
}

const userNode = ({inputs: [above], value, modulus}: Task): string =>
  `{uses: ./step.ts, with: {value: ${value}, modulus: ${modulus}}${above === undefined ? '' : `, in: {to: ${above}.number}`}}`;

const USER_STAGE = `import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'step',
  doc: 'Adds to a number, if there is one.',
  params: z.strictObject({value: z.number().describe('To add.'), modulus: z.number().describe('Of the sum.')}),
  inputs: {to: {kind: 'summary', doc: 'A number.', optional: true}},
  outputs: {number: {kind: 'summary', doc: 'The sum.', columns: {value: 'float64'}}},
  computes: 'plain',
  async run({params, inputs}) {
    return {number: [{value: (Number(inputs.to?.[0]?.value ?? 0) + params.value) % params.modulus}]};
  },
});
`;

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

const TRIVIAL = join(trivialCheckout(), 'bin', 'basin');

interface Kind {
  readonly name: string;
  readonly largest: number;
  text(n: number, edited: number): string;
  /** Files that lie beside the pipeline. */
  readonly beside?: Readonly<Record<string, string>>;
  /** The command line that knows the stages. */
  readonly program?: string;
  readonly writeStudy?: Engine['writeStudy'];
}

const basinWith = ({name, largest, text, beside = {}, program = BASIN, writeStudy}: Kind): Engine => ({
  name,
  largest,
  absent: () => undefined,
  writeChains: (folder, n, edited) => {
    writeFileSync(join(folder, FILE), text(n, edited));
    for (const [file, content] of Object.entries(beside)) {
      if (!existsSync(join(folder, file))) writeFileSync(join(folder, file), content);
    }
  },
  ...(writeStudy && {writeStudy}),
  command: [program, 'run', FILE, '--json', '--cache', 'cache'],
  planCommand: [program, 'plan', FILE, '--cache', 'cache'],
  ran: (_, stdout) => ranOf(stdout),
  deleteOutput,
});

export const basin = basinWith({
  name: 'basin, swept',
  largest: 100_000,
  text: sweptChains,
  program: TRIVIAL,
  writeStudy: (folder, study) => writeFileSync(join(folder, FILE), studyText(study)),
});
/** A pipeline file may have five megabytes. */
export const basinWritten = basinWith({
  name: 'basin, written out',
  largest: 50_000,
  text: writtenChains(trivialNode),
  program: TRIVIAL,
});
export const basinUserStage = basinWith({
  name: 'basin, user stage',
  largest: 10_000,
  text: writtenChains(userNode),
  beside: {'step.ts': USER_STAGE},
});
export const basinShell = basinWith({
  name: 'basin, shell',
  largest: 1_000,
  text: writtenChains(shellNode),
  beside: {'step.sh': STEP_SCRIPT},
});
