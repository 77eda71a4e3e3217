import {constants} from 'node:fs';
import {access, copyFile, link, lstat, readFile, realpath, rename} from 'node:fs/promises';
import {join, relative, sep} from 'node:path';
import {ArtifactError} from '../artifact/artifact-error.ts';
import {decodeArtifact} from '../artifact/decode.ts';
import {encodeArtifact} from '../artifact/encode.ts';
import {inlineRows} from '../artifact/inline-rows.ts';
import {type ArrowKind, type ArtifactKind, type ArtifactValues, isTableKind, withNamed} from '../artifact/kinds.ts';
import {readTable} from '../artifact/read-table.ts';
import type {Digest} from '../base/digest.ts';
import {digestOfFile, writeDigested} from '../base/digested-files.ts';
import {giveRightsBack} from '../base/taken-rights.ts';
import {
  isCandidate,
  type OutputDeclaration,
  type OutputsByName,
  type Stage,
  StageError,
} from '../stage/define-stage.ts';
import type {DraftOutput} from '../store/publish.ts';
import {systemCode} from '../store/store-error.ts';
import {blobPath} from '../store/store-layout.ts';
import {DamagedInputs} from './damaged-inputs.ts';
import {checkDeclared, givenOutput, ofOutput} from './given-output.ts';
import {HANDED} from './handed-files.ts';
import type {Job} from './protocol.ts';

/** Encodes what a stage gave into its draft folder, and says what lies there. */
export async function writeOutputs(
  {inputs, store}: Pick<Job, 'inputs' | 'store'>,
  stage: Stage,
  drafts: string,
  outputs: OutputsByName | null | undefined,
): Promise<Record<string, DraftOutput>> {
  const written: Record<string, DraftOutput> = {};
  for (const [name, declaration] of Object.entries(stage.outputs)) {
    if (declaration.passes !== undefined && !Object.hasOwn(inputs, declaration.passes)) continue;
    const value = givenOutput(stage, name, declaration, outputs);
    if (value === undefined) continue;
    written[name] = isCandidate(value)
      ? await passOn(store, declaration.kind, value.digest, join(drafts, `${name}.arrow`))
      : await ofOutput(stage, name, declaration, () => writeOutput(name, declaration, drafts, value));
  }
  checkDeclared(stage, outputs);
  return written;
}

/** A stored artifact as an output, without its bytes in memory; they are verified, so that damage is found where it is and not below. */
async function passOn(store: string, kind: ArtifactKind, digest: Digest, draft: string): Promise<DraftOutput> {
  try {
    await shareFile(blobPath(store, digest), draft);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new DamagedInputs([digest]);
    throw error;
  }
  if ((await digestOfFile(draft)) !== digest) throw new DamagedInputs([digest]);
  return {kind, digest, bytes: (await lstat(draft)).size, draft};
}

/** The same file under a second name, since nobody writes to a blob; a copy where the file system has no such names. */
async function shareFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}

async function writeOutput(
  name: string,
  {kind, columns, named, as}: OutputDeclaration,
  drafts: string,
  value: ArtifactValues[ArtifactKind],
): Promise<DraftOutput> {
  if (kind === 'file') return takeFile(name, drafts, pathOf(name, value));
  const content = as === 'path' ? await contentOf(kind, name, drafts, pathOf(name, value)) : arrowValue(name, value);
  const further =
    named !== undefined && Array.isArray(content)
      ? Object.keys(content[0] ?? {}).filter((name) => !Object.hasOwn(columns ?? {}, name))
      : [];
  const all = further.length > 0 ? withNamed(further, columns) : columns;
  const bytes = encodeArtifact({kind, ...(all && {columns: all})}, content);
  const draft = join(drafts, `${name}.arrow`);
  const digest = await writeDigested(draft, bytes);
  const inline = Array.isArray(content) ? inlineRows(content) : undefined;
  return {
    kind,
    digest,
    bytes: bytes.byteLength,
    draft,
    ...(Array.isArray(content) && {rows: content.length}),
    ...(inline && {inline}),
  };
}

/** What another program wrote is read whole, so that what is stored is valid and equal tables are equal bytes whoever wrote them. */
async function contentOf(
  kind: ArrowKind,
  name: string,
  drafts: string,
  path: string,
): Promise<ArtifactValues[ArrowKind]> {
  openOwn(drafts, path);
  await checkReadable(name, path);
  const bytes = await readFile(path);
  return isTableKind(kind)
    ? readTable(kind, bytes, `The output "${name}"`)
    : decodeArtifact(kind, bytes, `The output "${name}"`);
}

/** Who makes a file for basin to take may give it, or the job's own folder that it lies in, rights that say otherwise. */
function openOwn(drafts: string, path: string): void {
  let place = drafts;
  for (const part of relative(drafts, path).split(sep)) {
    place = join(place, part);
    if (part === '..' || giveRightsBack(place)?.isDirectory() !== true) return;
  }
}

async function checkReadable(name: string, path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    if (systemCode(error) !== 'EACCES') throw error;
    throw new StageError(
      `The output "${name}" may not be read: ${path}.`,
      "It has a second name, or is another user's, so that its rights are left as they are: give its owner the right to read it.",
    );
  }
}

function arrowValue(name: string, value: ArtifactValues[ArtifactKind]): ArtifactValues[ArrowKind] {
  if ('path' in value)
    throw new StageError(`The stage gave the path of a file for its output "${name}", and not its value.`);
  return value;
}

function pathOf(name: string, value: ArtifactValues[ArtifactKind]): string {
  if ('path' in value) return value.path;
  throw new StageError(`The output "${name}" is a file, and the stage gave no path of one.`, 'Give {path: …}.');
}

/** Moved where it is this job's alone; what lies elsewhere, has a second name or was handed to it is somebody's, and is copied. */
async function takeFile(name: string, drafts: string, path: string): Promise<DraftOutput> {
  openOwn(drafts, path);
  const status = await lstat(path).catch(() => undefined);
  if (!status?.isFile()) throw new ArtifactError(`The output "${name}" is no file: ${path}.`);
  await checkReadable(name, path);
  const draft = join(drafts, `${name}.file`);
  const [place, ours] = [await realpath(path), `${await realpath(drafts)}${sep}`];
  const isOurs = status.nlink === 1 && place.startsWith(ours) && !place.startsWith(ours + HANDED);
  if (isOurs) await rename(path, draft);
  else await copyFile(path, draft, constants.COPYFILE_FICLONE);
  const {size} = await lstat(draft);
  return {kind: 'file', digest: await digestOfFile(draft), bytes: size, draft};
}
