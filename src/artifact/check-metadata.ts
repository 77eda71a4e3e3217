/**
 * Checks the FlatBuffers in an Arrow file before the library reads them. It follows offsets and counts as they stand, so one flipped
 * bit in a count sends it through billions of elements; here every table, list and text must lie inside its buffer.
 *
 * Field numbers are those of Arrow's File.fbs, Message.fbs and Schema.fbs; the encoding is FlatBuffers' own: a table starts with the
 * distance back to its vtable, which holds its own size, the table's, and each field's place in it (0 when absent).
 */

type Part =
  | {readonly is: 'text'}
  | {readonly is: 'structs'; readonly bytes: number}
  | {readonly is: 'table'; readonly fields: () => Fields}
  | {readonly is: 'tables'; readonly fields: () => Fields};
/** Fields by number; scalars are left out, for any value of theirs is read safely. */
type Fields = Readonly<Record<number, Part>>;

const text: Part = {is: 'text'};
const structs = (bytes: number): Part => ({is: 'structs', bytes});
const table = (fields: () => Fields): Part => ({is: 'table', fields});
const tables = (fields: () => Fields): Part => ({is: 'tables', fields});

const KEY_VALUE: Fields = {0: text, 1: text};
const FIELD: Fields = {
  0: text,
  3: table(() => ({})),
  4: table(() => ({})),
  5: tables(() => FIELD),
  6: tables(() => KEY_VALUE),
};
const SCHEMA: Fields = {1: tables(() => FIELD), 2: tables(() => KEY_VALUE), 3: structs(8)};
const BLOCK_BYTES = 24;
const FOOTER: Fields = {
  1: table(() => SCHEMA),
  2: structs(BLOCK_BYTES),
  3: structs(BLOCK_BYTES),
  4: tables(() => KEY_VALUE),
};
const RECORD_BATCH: Fields = {1: structs(16), 2: structs(16), 3: table(() => ({})), 4: structs(8)};
const MESSAGE: Fields = {2: table(() => RECORD_BATCH), 4: tables(() => KEY_VALUE)};

/** `MessageHeader.RecordBatch` */
const RECORD_BATCH_HEADER = 3;
/** Our deepest nesting is schema, field, item of a list; more is damage, and a cycle would be endless. */
const DEEPEST = 8;
/** Magic and padding at the start; footer length and magic at the end. */
const HEAD = 8;
const TAIL = 10;

/** Whether everything that the footer and the messages of a framed Arrow file point to lies inside them. */
export function metadataIsWhole(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  try {
    const end = file.byteLength - TAIL;
    const start = end - view.getInt32(end, true);
    if (start < HEAD) return false;
    const footer = new DataView(file.buffer, file.byteOffset + start, end - start);
    if (!rootIsWhole(footer, FOOTER)) return false;
    return blocksOf(footer).every((block) => messageIsWhole(file, start, block));
  } catch (error) {
    if (error instanceof RangeError) return false; // DataView: outside of the buffer
    throw error;
  }
}

interface Block {
  readonly offset: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

function blocksOf(footer: DataView): readonly Block[] {
  const at = fieldPlace(footer, footer.getUint32(0, true), 3);
  if (at === undefined) return [];
  const list = at + footer.getUint32(at, true);
  return Array.from({length: footer.getUint32(list, true)}, (_, index) => {
    const block = list + 4 + index * BLOCK_BYTES;
    return {
      offset: Number(footer.getBigInt64(block, true)),
      metadataBytes: footer.getInt32(block + 8, true),
      bodyBytes: Number(footer.getBigInt64(block + 16, true)),
    };
  });
}

function messageIsWhole(file: Uint8Array, end: number, {offset, metadataBytes, bodyBytes}: Block): boolean {
  if (offset < HEAD || metadataBytes <= 8 || bodyBytes < 0 || offset + metadataBytes + bodyBytes > end) return false;
  const view = new DataView(file.buffer, file.byteOffset + offset, metadataBytes);
  // A continuation mark, then the length of what follows.
  if (view.getInt32(0, true) !== -1 || view.getInt32(4, true) !== metadataBytes - 8) return false;
  const message = new DataView(file.buffer, file.byteOffset + offset + 8, metadataBytes - 8);
  const root = message.getUint32(0, true);
  const kind = fieldPlace(message, root, 1);
  const body = fieldPlace(message, root, 3);
  if (kind === undefined || message.getUint8(kind) !== RECORD_BATCH_HEADER) return false;
  if (body === undefined ? bodyBytes !== 0 : Number(message.getBigInt64(body, true)) !== bodyBytes) return false;
  return rootIsWhole(message, MESSAGE);
}

const rootIsWhole = (view: DataView, fields: Fields): boolean => {
  // Tables may be shared, so a small buffer could still make a long walk; ours share nothing.
  const left = {parts: view.byteLength};
  return tableIsWhole(view, view.getUint32(0, true), fields, 0, left);
};

function fieldPlace(view: DataView, at: number, field: number): number | undefined {
  const vtable = at - view.getInt32(at, true);
  if (4 + 2 * field >= view.getUint16(vtable, true)) return undefined;
  const offset = view.getUint16(vtable + 4 + 2 * field, true);
  return offset === 0 ? undefined : at + offset;
}

function tableIsWhole(view: DataView, at: number, fields: Fields, depth: number, left: {parts: number}): boolean {
  const vtable = at - view.getInt32(at, true);
  const [vtableBytes, tableBytes] = [view.getUint16(vtable, true), view.getUint16(vtable + 2, true)];
  if (depth > DEEPEST || vtable + vtableBytes > view.byteLength || at + tableBytes > view.byteLength) return false;
  return Object.entries(fields).every(([field, part]) => {
    const place = fieldPlace(view, at, Number(field));
    return place === undefined || partIsWhole(view, place + view.getUint32(place, true), part, depth + 1, left);
  });
}

function partIsWhole(view: DataView, at: number, part: Part, depth: number, left: {parts: number}): boolean {
  if (left.parts-- <= 0) return false;
  switch (part.is) {
    case 'text':
      return at + 4 + view.getUint32(at, true) <= view.byteLength;
    case 'structs':
      return at + 4 + view.getUint32(at, true) * part.bytes <= view.byteLength;
    case 'table':
      return tableIsWhole(view, at, part.fields(), depth, left);
    case 'tables': {
      const count = view.getUint32(at, true);
      if (at + 4 + 4 * count > view.byteLength) return false;
      for (let index = 0; index < count; index++) {
        const place = at + 4 + 4 * index;
        const element = place + view.getUint32(place, true);
        if (left.parts-- <= 0 || !tableIsWhole(view, element, part.fields(), depth, left)) return false;
      }
      return true;
    }
  }
}
