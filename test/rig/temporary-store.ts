import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {ArtifactKind} from '../../src/artifact/kinds.ts';
import {digestOf, type Key} from '../../src/base/digest.ts';
import type {JsonObject} from '../../src/base/json.ts';
import {keyOfPreimage} from '../../src/plan/key.ts';
import {openStore} from '../../src/store/open-store.ts';
import type {Draft, DraftOutput} from '../../src/store/publish.ts';
import type {Store} from '../../src/store/store.ts';

/** An empty folder, gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'basin-test-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  return folder;
}

/** A store in a folder of its own that does not exist yet. */
export async function temporaryStore(): Promise<Store> {
  return reopened(join(await temporaryFolder(), 'cache'));
}

export async function reopened(root: string, options?: {readonly readOnly?: boolean}): Promise<Store> {
  const store = await openStore(root, options);
  onTestFinished(() => store.close());
  return store;
}

/** A draft whose files are texts, as a worker would leave it. */
export async function draftOf(
  store: Store,
  preimage: JsonObject,
  texts: Readonly<Record<string, string>>,
  options: {readonly seconds?: number; readonly kinds?: Readonly<Record<string, ArtifactKind>>} = {},
): Promise<Draft> {
  const folder = await store.draftFolder();
  const outputs: [string, DraftOutput][] = [];
  for (const [name, text] of Object.entries(texts)) {
    const draft = join(folder, name);
    await writeFile(draft, text);
    const kind = options.kinds?.[name] ?? 'weights';
    outputs.push([name, {kind, digest: digestOf(text), bytes: Buffer.byteLength(text), draft}]);
  }
  return {key: keyOf(preimage), preimage, outputs: Object.fromEntries(outputs), seconds: options.seconds ?? 0};
}

export const keyOf = (preimage: JsonObject): Key => keyOfPreimage(preimage);
