import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {formatDiagnostic} from '../../src/base/diagnostic.ts';
import {digestOf} from '../../src/base/digest.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import type {RunEvent} from '../../src/run/event.ts';
import {runPlan} from '../../src/run/run-plan.ts';
import {WorkerPool} from '../../src/run/worker-pool.ts';
import {openStore} from '../../src/store/open-store.ts';
import {StoreError} from '../../src/store/store-error.ts';
import {ANY_MACHINE} from '../rig/any-machine.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {writable} from '../rig/writable.ts';

// Every class of byte position of every file of a small store, turned over or cut off there: what a run then gives is what it gives
// from an empty store, or a StoreError. Where something below needs what was damaged, the run says so.

const TEXT = `stages:
  seven: {uses: number, with: {value: 7}}
  twelve: {uses: number, with: {value: 12}}
  sum: {uses: add, in: {a: seven.summary, b: twelve.summary}}
  rest: {uses: mod, in: {a: sum.summary}, with: {by: 5}}
  points: {uses: scale, in: {a: sum.summary}, sweep: {alpha: [0, 1]}}
  all: {uses: gather, in: {points: points.points}}
`;
/** Reads what `sum` and `points` gave: other instances below them. */
const EDITED = TEXT.replace('by: 5', 'by: 4').replace('alpha: [0, 1]', 'alpha: [0, 0.5, 1]');

const folder = mkdtempSync(join(tmpdir(), 'basin-damage-'));
const whole = join(folder, 'whole');
const pool = new WorkerPool({
  script: fileURLToPath(new URL('../rig/counting-worker.ts', import.meta.url)),
  arguments: [],
  threads: 1,
});
afterAll(() => {
  pool.close();
  rmSync(folder, {recursive: true, force: true});
});

type Told = {
  readonly digests: Readonly<Record<string, string>>;
  /** Small tables, as they are shown. */
  readonly rows: Readonly<Record<string, unknown>>;
  readonly events: readonly RunEvent[];
};

/** Digests of all outputs after a run, as far as their payloads can be read, and what would be shown of them. */
async function run(cache: string, text: string, onFinished: () => void = () => {}): Promise<Told> {
  const graph = readPipeline({path: join(folder, 'pipeline.yaml'), text}, countingStages);
  if (!graph.ok) throw new Error(graph.error.map(formatDiagnostic).join('\n'));
  const store = await openStore(cache);
  try {
    const plan = await makePlan(graph.value, {store, numerics: 'none'});
    const events: RunEvent[] = [];
    const result = await runPlan({
      ...{graph: graph.value, plan, store, numerics: 'none', pool, jobs: 2, machine: ANY_MACHINE},
      onFailure: 'finish-running',
      wanted: new Set(graph.value.instances.map(({index}) => index)),
      stop: new AbortController().signal,
      emit: (event) => {
        events.push(event);
        if (event.event === 'instance-finished') onFinished();
      },
    });
    const {ran, cached, cutOff, failed, skipped} = result.totals;
    expect(ran + cached + cutOff).toBe(graph.value.instances.length);
    expect(failed + skipped).toBe(0);
    const digests: Record<string, string> = {};
    const rows: Record<string, unknown> = {};
    for (const [index, record] of result.records.entries()) {
      for (const [name, output] of Object.entries(record?.outputs ?? {})) {
        const id = `${graph.value.instances[index]?.id}.${name}`;
        digests[id] = output.digest;
        rows[id] = output.inline;
        const bytes = await store.readBlob(output.digest);
        if (bytes instanceof Uint8Array) expect(digestOf(bytes), id).toBe(output.digest);
      }
    }
    return {digests, rows, events};
  } finally {
    await store.close();
  }
}

let expected: {readonly first: Told; readonly edited: Told};
let files: readonly string[];

beforeAll(async () => {
  const first = await run(whole, TEXT);
  expected = {first, edited: await run(join(folder, 'undisturbed'), EDITED)};
  files = readdirSync(whole, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map(({parentPath, name}) => relative(whole, join(parentPath, name)))
    .sort();
});

function expectSame({digests, rows}: Told, other: Told, told: string): void {
  expect(digests, told).toEqual(other.digests);
  expect(rows, told).toEqual(other.rows);
}

/** First and last bytes, and fractions between them: headers, bodies and footers of whatever the file is. */
const PLACES = [0, 1, 4, 8, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, -9, -5, -2, -1];
const at = (place: number, size: number): number =>
  Math.max(0, Math.min(size - 1, place < 0 ? size + place : place < 1 ? Math.floor(place * size) : place));

const DAMAGES: Readonly<Record<string, (path: string, place: number) => void>> = {
  'turned over': (path, place) => {
    const bytes = readFileSync(path);
    if (bytes.length === 0) return;
    const where = at(place, bytes.length);
    bytes[where] = (bytes[where] ?? 0) ^ 0x41;
    writeFileSync(writable(path), bytes);
  },
  'cut off': (path, place) => truncateSync(writable(path), at(place, readFileSync(path).length)),
  'filled with zeros from': (path, place) => {
    const bytes = readFileSync(path);
    bytes.fill(0, at(place, bytes.length));
    writeFileSync(writable(path), bytes);
  },
};

const every = process.env.BASIN_ALL ? 1 : 13;

test.for(Object.keys(DAMAGES))('a store with a file %s somewhere gives no wrong result', {timeout: 0}, async (kind) => {
  let tried = 0;
  let damaged = 0;
  for (const file of files) {
    for (const place of PLACES) {
      if (tried++ % every !== 0) continue;
      damaged++;
      const cache = join(folder, `${damaged}-${kind.length}`);
      mkdirSync(cache);
      cpSync(whole, cache, {recursive: true});
      DAMAGES[kind]?.(join(cache, file), place);
      const told = `${file} ${kind} ${place}`;
      try {
        expectSame(await run(cache, TEXT), expected.first, told);
        expectSame(await run(cache, EDITED), expected.edited, told);
      } catch (error) {
        if (!(error instanceof StoreError)) throw new Error(told, {cause: error});
        expect(file, told).toBe('FORMAT'); // only a format that is not known stops a run
      }
      rmSync(cache, {recursive: true});
    }
  }
  expect(damaged).toBeGreaterThan(files.length / 2);
});

/** Where a byte of a small table lies in a file: its digits, of which another is a result too, and quotes, without which it is no JSON. */
const placesInTables = (bytes: Buffer): readonly number[] =>
  [...bytes.toString('latin1').matchAll(/"inline":\[\{[^\]]*\]/g)].flatMap(({0: table, index}) =>
    [...table.matchAll(/[0-9"]/g)].map((byte) => index + byte.index),
  );

test.for([
  ['records', /^keys\//],
  ['the index', /^index\.sqlite$/],
] as const)('a byte of a small table that turns over in %s is never shown', {timeout: 0}, async ([, which]) => {
  let tried = 0;
  const damaged = files.filter((name) => which.test(name));
  for (const file of damaged) {
    const bytes = readFileSync(join(whole, file));
    for (const place of placesInTables(bytes)) {
      if (tried++ % (process.env.BASIN_ALL ? 1 : 7) !== 0) continue;
      const cache = join(folder, `table-${tried}-${damaged.length}`);
      cpSync(whole, cache, {recursive: true});
      const turned = Buffer.from(bytes);
      turned[place] = (turned[place] ?? 0) ^ 1;
      writeFileSync(join(cache, file), turned);
      if (file.startsWith('keys/')) rmSync(join(cache, 'index.sqlite'));
      const told = `${file} turned over at ${place}`;
      expectSame(await run(cache, TEXT), expected.first, told);
      expectSame(await run(cache, EDITED), expected.edited, told);
      rmSync(cache, {recursive: true});
    }
  }
  expect(tried).toBeGreaterThan(50);
});

test('a damaged payload that is read is told', async () => {
  const cache = join(folder, 'told');
  cpSync(whole, cache, {recursive: true});
  for (const file of files.filter((name) => name.startsWith('blobs/')))
    DAMAGES['turned over']?.(join(cache, file), 0.5);
  const {digests, events} = await run(cache, EDITED);
  expect(digests).toEqual(expected.edited.digests);
  expect(events).toContainEqual({
    event: 'warning',
    message: expect.stringContaining('is missing or damaged; it is computed again.'),
  });
});

test('the index deleted before a run, or while it runs after any instance, changes nothing', async () => {
  const cache = join(folder, 'without-index');
  cpSync(whole, cache, {recursive: true});
  const remove = () => rmSync(join(cache, 'index.sqlite'), {force: true});
  remove();
  expect((await run(cache, EDITED, remove)).digests).toEqual(expected.edited.digests);
  expect((await run(cache, EDITED, remove)).digests).toEqual(expected.edited.digests);
  remove();
  const {digests, events} = await run(cache, TEXT);
  expect(digests).toEqual(expected.first.digests);
  expect(events.some((event) => event.event === 'instance-started')).toBe(false);
});

test('files from the future, as a clock that was set back leaves them, are as good as others', async () => {
  const cache = join(folder, 'future');
  cpSync(whole, cache, {recursive: true});
  const nextYear = Date.now() / 1000 + 365 * 24 * 3600;
  for (const path of readdirSync(cache, {recursive: true, encoding: 'utf8'}))
    utimesSync(join(cache, path), nextYear, nextYear);
  const again = await run(cache, TEXT);
  expect(again.events.some((event) => event.event === 'instance-started')).toBe(false);
  const edited = await run(cache, EDITED);
  expect(edited.digests).toEqual(expected.edited.digests);
  expect(edited.events.filter((event) => event.event === 'instance-started')).toHaveLength(3); // rest, one point, all
  const last = await run(cache, EDITED);
  expect(last.events.some((event) => event.event === 'instance-started')).toBe(false);
});
