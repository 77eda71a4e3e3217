import {copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {z} from 'zod';
import {diagnosticJson, formatDiagnostic} from '../../src/base/diagnostic.ts';
import {digestOf} from '../../src/base/digest.ts';
import {registry} from '../../src/cli/registry.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {STACK} from '../cli/basin.ts';
import {changedText} from './changes.ts';
import {SEEDS, TOKENS} from './seeds.ts';

// What was found once is kept in corpus/, shrunk, and read at every run; a failure writes itself there.

const caseSchema = z.strictObject({
  /** A pipeline, and the file ./used.yaml beside it. */
  text: z.string(),
  used: z.string().optional(),
  params: z.string().optional(),
  set: z.array(z.string()).readonly().optional(),
});
type Case = z.output<typeof caseSchema>;

const CORPUS = join(import.meta.dirname, 'corpus');
const runs = process.env.BASIN_FUZZ ? Number(process.env.BASIN_FUZZ) : process.env.BASIN_ALL ? 100_000 : 1500;
const seed = Number(process.env.BASIN_FUZZ_SEED ?? 20_261_130);
/** Longest a file of a few kilobytes may take, in ms: what hangs takes for ever. */
const HANGS = 20_000;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'basin-fuzz-'));
  copyFileSync(join(import.meta.dirname, '../../pipelines/quickstart.yaml'), join(folder, 'quickstart.yaml'));
});
afterAll(() => rmSync(folder, {recursive: true}));

/** Reads a case as `basin` does; true when it is refused. Throws when anything but a pipeline or readable faults comes of it. */
function isRefused({text, used, params, set = []}: Case): boolean {
  writeFileSync(join(folder, 'used.yaml'), used ?? '');
  const paramsFiles = params === undefined ? [] : [{path: 'params.yaml', text: params}];
  const before = performance.now();
  const read = readPipeline({path: join(folder, 'p.yaml'), text, set, paramsFiles}, registry);
  if (performance.now() - before > HANGS) throw new Error('It took too long.');
  if (read.ok) return false;
  if (read.error.length === 0) throw new Error('It was refused without a fault.');
  for (const fault of read.error) {
    const {line, column} = diagnosticJson(fault);
    if (STACK.test(`${fault.message}\n${fault.hint}`) || fault.message === '' || line === 0 || column === 0)
      throw new Error(`It was told ${formatDiagnostic(fault)}`);
  }
  return true;
}

test.for(readdirSync(CORPUS))('%s, found before, is read or refused', (name) => {
  const kept = caseSchema.parse(JSON.parse(readFileSync(join(CORPUS, name), 'utf8')));
  expect(() => isRefused(kept)).not.toThrow();
});

test.for([...SEEDS.pipelines.entries()])('pipeline %i is right before it is changed', ([, text]) => {
  expect(isRefused({text, used: SEEDS.used[0] ?? ''})).toBe(false);
});

const sometimes = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, {nil: undefined, freq: 1});
const all = [...SEEDS.pipelines, ...SEEDS.used];
const cases: fc.Arbitrary<Case> = fc
  .record({
    text: changedText(SEEDS.pipelines, all, TOKENS),
    used: changedText(SEEDS.used, all, TOKENS, 0),
    params: sometimes(changedText(SEEDS.params, all, TOKENS, 0)),
    set: sometimes(fc.array(changedText(SEEDS.sets, SEEDS.sets, TOKENS, 0), {minLength: 1, maxLength: 2})),
  })
  .map(({params, set = [], ...rest}) => ({...rest, set, ...(params !== undefined && {params})}));

test(`${runs} changed pipelines are read or refused, without hang, stack trace or much memory`, {timeout: 0}, () => {
  let refused = 0;
  let read = 0;
  const property = fc.property(cases, (one) => {
    if (isRefused(one)) refused += 1;
    else read += 1;
  });
  // Counter-examples with few changes are found by shrinking; bias towards small numbers would change the same places over and over.
  const found = fc.check(property, {numRuns: runs, seed, unbiased: true});
  const [example] = found.counterexample ?? [];
  if (example) {
    const text = `${JSON.stringify(example, undefined, 1)}\n`;
    const path = join(CORPUS, `${digestOf(text).slice(0, 12)}.json`);
    writeFileSync(path, text);
    throw new Error(`After ${found.numRuns} runs, kept as ${path}:\n${text}`, {cause: found.errorInstance});
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(refused).toBeGreaterThan(runs / 4);
  expect(read).toBeGreaterThan(0);
  expect(process.resourceUsage().maxRSS).toBeLessThan(2 ** 20); // KiB
});
