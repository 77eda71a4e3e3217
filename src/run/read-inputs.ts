import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {decodeArtifact} from '../artifact/decode.ts';
import {encodeArtifact} from '../artifact/encode.ts';
import {gatherRows, type Member} from '../artifact/gather.ts';
import {
  type ArtifactKind,
  type Columns,
  type ColumnType,
  declaredColumns,
  isTableKind,
  type StoredFile,
} from '../artifact/kinds.ts';
import type {Digest} from '../base/digest.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {axisText} from '../graph/instance-id.ts';
import type {InputDeclaration, Opened, Stage} from '../stage/define-stage.ts';
import type {GatheredFile} from '../stage/gathered-files.ts';
import {readBlob} from '../store/read-blob.ts';
import {DamagedInputs} from './damaged-inputs.ts';
import type {HandedFiles} from './handed-files.ts';
import type {InputReference, Job} from './protocol.ts';

/** A job's inputs, verified: decoded, or as files where the stage wants those. All damaged blobs are found before it gives up. */
export async function readInputs(
  {inputs, store, points}: Job,
  stage: Stage,
  handed: HandedFiles,
): Promise<Record<string, unknown>> {
  const damaged: Digest[] = [];
  const read = async (digest: Digest): Promise<Uint8Array | undefined> => {
    const bytes = await readBlob(store, digest);
    if (bytes instanceof Uint8Array) return bytes;
    damaged.push(digest);
    return undefined;
  };
  const asFile = async (name: string, digest: Digest): Promise<StoredFile | undefined> => {
    const path = await handed.hand(name, digest);
    if (path !== undefined) return {path};
    damaged.push(digest);
    return undefined;
  };
  const values: Record<string, unknown> = {};
  for (const [name, input] of Object.entries(inputs)) {
    const declaration = stage.inputs[name];
    if (!declaration) throw new Error(`Internal error: ${stage.name} has no input "${name}"`);
    if (input.many && declaration.opens) {
      values[name] = await opened(input, read, `The input "${name}"`);
    } else if (input.many && !isTableKind(input.kind) && declaration.as === 'path') {
      const files: GatheredFile[] = [];
      for (const {axes, digest} of input.members) {
        const file = await asFile(name, digest);
        if (file) files.push({axes, ...file});
      }
      values[name] = files;
    } else if (input.many && !isTableKind(input.kind)) {
      values[name] = input.members; // too large to open them all: the stage passes one on
    } else if (input.many) {
      const members = await gathered(input, read, `The input "${name}"`);
      values[name] =
        declaration.as === 'path'
          ? await tableFile(members, declaration, join(points[0]?.drafts ?? '', `${name}.arrow`))
          : gatherRows(members);
    } else if (declaration.as === 'path' || input.kind === 'file') {
      values[name] = await asFile(name, input.digest);
    } else {
      const bytes = await read(input.digest);
      values[name] = bytes && decodeArtifact(input.kind, bytes, `The input "${name}"`);
    }
  }
  if (damaged.length > 0) throw new DamagedInputs(damaged);
  return values;
}

type GatheredReference = InputReference & {readonly many: true};
type Read = (digest: Digest) => Promise<Uint8Array | undefined>;

async function opened(
  {kind, members}: GatheredReference,
  read: Read,
  name: string,
): Promise<readonly Opened<ArtifactKind>[]> {
  if (kind === 'file') throw new Error('Internal error: a file is handed over by its path');
  const found = [];
  for (const {axes, digest} of members) {
    const bytes = await read(digest);
    if (bytes) found.push({axes, value: decodeArtifact(kind, bytes, name)});
  }
  return found;
}

async function gathered({kind, members}: GatheredReference, read: Read, name: string): Promise<readonly Member[]> {
  if (!isTableKind(kind)) throw new Error(`Internal error: ${kind} cannot be gathered`);
  const found = [];
  for (const {axes, digest} of members) {
    const bytes = await read(digest);
    if (bytes) found.push({axes, rows: decodeArtifact(kind, bytes, name)});
  }
  return found;
}

/** A gathered table as an Arrow file of its own: the axes, then the columns of what was gathered. */
async function tableFile(members: readonly Member[], declaration: InputDeclaration, path: string): Promise<StoredFile> {
  const axes = Object.keys(members[0]?.axes ?? {}).map((name) => {
    const [type = 'utf8', other] = new Set(members.map((member) => typeOf(member.axes[name])));
    return {name, type: other ? 'utf8' : type, isMixed: other !== undefined} as const;
  });
  const mixed = new Set(axes.flatMap(({name, isMixed}) => (isMixed ? [name] : [])));
  // each by itself: they are sorted by the values that they have before these become text
  const rows = members.flatMap((member) => gatherRows([{...member, axes: withTexts(member.axes, mixed)}]));
  const first = members.flatMap((member) => Object.entries(member.rows[0] ?? {}));
  const columns: Columns = {
    ...Object.fromEntries(axes.map(({name, type}) => [name, type])),
    ...Object.fromEntries(first.map(([name, cell]) => [name, typeOf(cell)])),
    ...declaredColumns(declaration),
  };
  await writeFile(path, encodeArtifact({kind: 'summary', columns}, rows));
  return {path};
}

const typeOf = (value: Json | undefined): ColumnType =>
  typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : 'utf8';

/** An axis that mixes numbers and texts is a column of text, in which 1 and "1" are two. */
const withTexts = (axes: JsonObject, mixed: ReadonlySet<string>): JsonObject =>
  Object.fromEntries(
    Object.entries(axes).map(([name, value]) => [name, mixed.has(name) ? axisText(value) : value] as const),
  );
