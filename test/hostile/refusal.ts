import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {onTestFinished} from 'vitest';
import type {Weights} from '../../src/artifact/kinds.ts';
import {digestOfFile} from '../../src/base/digested-files.ts';
import type {Json} from '../../src/base/json.ts';
import {UserError} from '../../src/base/user-error.ts';
import {NO_CHECKPOINTS} from '../../src/run/checkpoints.ts';
import type {Stage} from '../../src/stage/define-stage.ts';
import type {TensorLibrary} from '../../src/stage/tensor-library.ts';

/** A folder of small hostile files, gone after the test. */
export function hostileFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'basin-hostile-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** A hostile folder that is a good checkpoint until the test breaks it. */
export function checkpointFolder(): string {
  const folder = hostileFolder();
  cpSync(fileURLToPath(new URL('../fixtures/hf-vit/p4-32', import.meta.url)), folder, {recursive: true});
  return folder;
}

/** The lines that a person reads; the folder's random name is shown as FOLDER. */
const linesOf = (folder: string, message: string, hint: string | undefined): string =>
  `${message}\n${hint ?? '(no hint)'}`.replaceAll(folder, 'FOLDER').replaceAll(basename(folder), 'FOLDER');

/**
 * What a person is told when a stage meets outside data, as the engine goes about it: the source is resolved by the driver, then the
 * stage runs. Message and hint, a line each.
 */
export async function told(
  stage: Stage,
  params: Readonly<Record<string, Json>>,
  folder: string,
  {tf, weights}: {readonly tf?: TensorLibrary; readonly weights?: Weights} = {},
): Promise<string> {
  const located = {...params};
  for (const [name, resolve] of Object.entries(stage.sources)) {
    const found = await resolve(params[name] ?? null, {folder, digestOfFile, mayDownload: false});
    if (found.state === 'unresolved') return linesOf(folder, found.reason, found.hint);
    located[name] = found.located;
  }
  const signal = new AbortController().signal;
  const services = {
    signal,
    checkpoints: NO_CHECKPOINTS,
    progress() {},
    log() {},
    folder: () => Promise.reject(new Error('this stage was meant to need no folder')),
    get tf(): TensorLibrary {
      if (tf === undefined) throw new Error('this stage was meant to need no tensors');
      return tf;
    },
  };
  try {
    await stage.run({params: located, inputs: weights ? {weights} : {}, services});
    return 'taken as good';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return linesOf(folder, error.message, error.hint);
  }
}
