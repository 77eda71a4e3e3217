import {isTableKind} from '../artifact/kinds.ts';
import type {Digest} from '../base/digest.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {type Stage, StageError} from '../stage/define-stage.ts';
import {fileStamp, statusOf} from '../store/file-stamp.ts';
import {systemCode} from '../store/store-error.ts';
import {blobPath} from '../store/store-layout.ts';
import type {Job} from './protocol.ts';

interface HandedFile {
  readonly name: string;
  readonly digest: Digest;
  readonly path: string;
  readonly stamp: string;
}

/** Files of the store that a stage is handed as they are, and may write to where rights do not hinder it (as root). */
export function handedFiles({inputs, store}: Pick<Job, 'inputs' | 'store'>, stage: Stage): readonly HandedFile[] {
  return Object.entries(inputs).flatMap(([name, input]) => {
    const isHanded = stage.inputs[name]?.as === 'path' || (!input.many && input.kind === 'file');
    if (!isHanded || (input.many && isTableKind(input.kind))) return [];
    return (input.many ? input.members : [input]).map(({digest}) => {
      const path = blobPath(store, digest);
      return {name, digest, path, stamp: stampOf(path)};
    });
  });
}

/** @throws StageError when a file is no longer what its digest says: what was made of it is of no known content. */
export async function checkHanded(files: readonly HandedFile[]): Promise<void> {
  for (const {name, digest, path, stamp} of files) {
    const now = stampOf(path);
    // Another driver may have put the same bytes in its place, or `gc` may have removed it.
    if (now === stamp || now === GONE || (await digestOfFile(path)) === digest) continue;
    throw new StageError(
      // Several may be handed it at once, and the file does not say who wrote.
      `Its input "${name}" was changed where it lies in the store, by it or by what ran beside it, and is damaged.`,
      'Have whatever changes it change a copy. It is computed again when it is next needed: run this again.',
    );
  }
}

const GONE = 'gone';

function stampOf(path: string): string {
  try {
    return fileStamp(statusOf(path));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return GONE;
  }
}
