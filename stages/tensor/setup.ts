import {join} from 'node:path';
import {fail, ok, type Result} from '../../src/base/result.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {type Build, buildAddon, verifyBuild} from './addon/build.ts';
import type {FileRecord} from './addon/file-records.ts';
import {nvidiaDriver} from './addon/nvidia-driver.ts';
import {
  AUTOMATIC,
  type BackendName,
  editionOf,
  hintOf,
  type Obstacle,
  obstacle,
  type SetupReporter,
} from './backend.ts';
import {whileHolding} from './lock.ts';
import {userCacheFolder} from './machine.ts';
import {type Manifest, type Refusal, readManifest, writeManifest} from './manifest.ts';
import type {SelfTestResult} from './self-test/result.ts';
import {selfTest} from './self-test/self-test.ts';
import {numericsOf, setUpId, TENSORFLOW_VERSION} from './versions.ts';

interface Working {
  readonly files: readonly FileRecord[];
  readonly selfTest: SelfTestResult;
}

interface Prepared extends Working {
  /** Why our fused operations are not in the native addon. */
  readonly lacksOperations: string | undefined;
}

/** Runs a back end's self-test; a failure is a clause. */
async function passes(backend: BackendName): Promise<Result<SelfTestResult, string>> {
  const tested = await selfTest(backend);
  if (!tested.ok) return fail(`did not pass its test (${tested.error})`);
  const [fault] = tested.value.needed;
  if (!fault) return tested;
  const count = tested.value.needed.length;
  return fail(`computes ${count} of ${tested.value.cases} tests wrong (${fault.case}: ${fault.detail})`);
}

/** Has a back end ready and tested, or says why it cannot be had. Our operations are left out of an addon that fails with them. */
async function prepare(
  backend: BackendName,
  again: boolean,
  report: SetupReporter,
): Promise<Result<Prepared, Obstacle>> {
  const none: Build = {files: [], lacksOperations: undefined};
  const edition = editionOf(backend);
  let built = edition ? await buildAddon(edition, report, {again}) : ok(none);
  if (!built.ok) return built;
  report.progress(`Testing the ${backend} back end`, undefined);
  let tested = await passes(backend);
  if (!tested.ok && backend === 'tensorflow' && built.value.lacksOperations === undefined) {
    const simpler = await buildAddon('cpu', report, {without: `with them it ${tested.error}`});
    if (simpler.ok) {
      built = simpler;
      tested = await passes(backend);
    }
  }
  if (!tested.ok) {
    return fail(
      obstacle(
        `the ${backend} back end ${tested.error}`,
        `\`basin doctor\` helps to get the ${backend === 'tensorflow' ? 'native' : backend} one`,
      ),
    );
  }
  return ok({...built.value, selfTest: tested.value});
}

/** A training step's time by that of the native back end, roughly: 140 ms (wasm) by 26.9 of D64 L4 in docs/benchmarks.md; small steps of `cpu` took 50 times as long. */
const SLOWER_THAN_NATIVE: Readonly<Record<BackendName, number>> = {cuda: 1, tensorflow: 1, wasm: 5, cpu: 50};

/** The line on what runs and why not faster. */
function lineOf(
  backend: BackendName,
  choice: BackendName | undefined,
  refusals: readonly Refusal[],
  lacksOperations: string | undefined,
): string {
  const without = lacksOperations === undefined ? '' : `, without fused operations: ${lacksOperations}`;
  const name =
    backend === 'tensorflow'
      ? `tensorflow back end (TensorFlow ${TENSORFLOW_VERSION}, native${without})`
      : backend === 'cuda'
        ? `cuda back end (TensorFlow ${TENSORFLOW_VERSION} on NVIDIA cards; not tested on a card by its makers)`
        : `${backend} back end`;
  if (choice) return `${name}, as asked`;
  const [refusal] = refusals;
  if (!refusal) return name;
  return `${name}: ${refusal.reason}; ${refusal.hint}, about ${SLOWER_THAN_NATIVE[backend]} times faster`;
}

/**
 * Finds the fastest back end that works on this machine, or has the chosen one work: builds, tests, remembers. What the
 * last set-up found stands as long as it is whole, failed attempts too; `force` (the command `basin setup`) tries
 * again. Files that are sound are never made anew. Two set-ups at once wait for each other; an interrupted one leaves
 * nothing but a downloaded wheel, which the next one uses.
 *
 * @throws StageError when the chosen back end cannot be had.
 */
export async function setUp(options: {
  readonly choice?: BackendName;
  readonly force?: boolean;
  readonly report: SetupReporter;
}): Promise<Manifest> {
  const {choice, force = false, report} = options;
  const lock = join(userCacheFolder(), 'backends', 'lock');
  return whileHolding(
    lock,
    () => report.line('Another set-up is running; waiting for it.'),
    async () => {
      const known = force ? undefined : await readManifest(choice);
      const edition = known && editionOf(known.backend);
      if (known && (!edition || (await verifyBuild(edition))?.damaged.length === 0)) return known;
      const refusals: Refusal[] = [];
      for (const backend of choice ? [choice] : AUTOMATIC) {
        const prepared = await prepare(backend, force, report);
        if (!prepared.ok) {
          refusals.push({backend, ...prepared.error});
          continue;
        }
        const {lacksOperations, ...working} = prepared.value;
        const manifest: Manifest = {
          backend,
          numerics: numericsOf(backend, lacksOperations === undefined),
          line: lineOf(backend, choice, refusals, lacksOperations),
          setUpId: setUpId(editionOf(backend)),
          refusals,
          ...working,
        };
        writeManifest(choice, manifest);
        if (!choice && nvidiaDriver())
          report.line(
            'A card of NVIDIA is there: `basin setup --backend cuda`, then `--backend cuda`, computes on it.',
          );
        return manifest;
      }
      const [refusal] = refusals;
      throw new StageError(
        `The ${refusal?.backend} back end cannot be had: ${refusal?.reason}.`,
        refusal && hintOf(refusal),
      );
    },
  );
}
