import {join} from 'node:path';
import {fail, ok, type Result} from '../../src/base/result.ts';
import {StageError} from '../../src/stage/define-stage.ts';
import {buildAddon, verifyBuild} from './addon/build.ts';
import {BACKENDS, type BackendName, type Obstacle, obstacle, type SetupReporter} from './backend.ts';
import {whileHolding} from './lock.ts';
import {userCacheFolder} from './machine.ts';
import {type FileRecord, type Manifest, type Refusal, readManifest, writeManifest} from './manifest.ts';
import type {SelfTestResult} from './self-test/result.ts';
import {selfTest} from './self-test/self-test.ts';
import {numericsOf, setUpId, TENSORFLOW_VERSION} from './versions.ts';

interface Working {
  readonly files: readonly FileRecord[];
  readonly selfTest: SelfTestResult;
}

/** Has a back end ready and tested, or says why it cannot be had. */
async function prepare(backend: BackendName, report: SetupReporter): Promise<Result<Working, Obstacle>> {
  const built = backend === 'tensorflow' ? await buildAddon(report) : ok([]);
  if (!built.ok) return built;
  report.progress(`Testing the ${backend} back end`, undefined);
  const tested = await selfTest(backend);
  const again = `\`basin doctor\` helps to get the ${backend === 'tensorflow' ? 'native' : backend} one`;
  if (!tested.ok) return fail(obstacle(`the ${backend} back end did not pass its test (${tested.error})`, again));
  const [fault] = tested.value.needed;
  if (fault) {
    const count = tested.value.needed.length;
    return fail(
      obstacle(
        `the ${backend} back end computes ${count} of ${tested.value.cases} tests wrong (${fault.case}: ${fault.detail})`,
        again,
      ),
    );
  }
  return ok({files: built.value, selfTest: tested.value});
}

/** A training step's time by that of the native back end, roughly: docs/benchmarks.md for wasm; small steps of `cpu` took 50 times as long. */
const SLOWER_THAN_NATIVE: Readonly<Record<BackendName, number>> = {tensorflow: 1, wasm: 2, cpu: 50};

/** The line on what runs and why not faster. */
function lineOf(backend: BackendName, choice: BackendName | undefined, refusals: readonly Refusal[]): string {
  const name =
    backend === 'tensorflow' ? `tensorflow back end (TensorFlow ${TENSORFLOW_VERSION}, native)` : `${backend} back end`;
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
      if (known && (known.backend !== 'tensorflow' || (await verifyBuild())?.damaged.length === 0)) return known;
      const refusals: Refusal[] = [];
      for (const backend of choice ? [choice] : BACKENDS) {
        const prepared = await prepare(backend, report);
        if (!prepared.ok) {
          refusals.push({backend, ...prepared.error});
          continue;
        }
        const manifest: Manifest = {
          backend,
          numerics: numericsOf(backend),
          line: lineOf(backend, choice, refusals),
          setUpId: setUpId(),
          refusals,
          ...prepared.value,
        };
        writeManifest(choice, manifest);
        return manifest;
      }
      const [refusal] = refusals;
      throw new StageError(
        `The ${refusal?.backend} back end cannot be had: ${refusal?.reason}.`,
        refusal && `${refusal.hint.charAt(0).toUpperCase()}${refusal.hint.slice(1)}.`,
      );
    },
  );
}
