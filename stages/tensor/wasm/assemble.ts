/** Bytes of WebAssembly: an instruction with its operands before it, or several in a row (specification, chapter 5). */
export type Code = readonly number[];

/** LEB128 of a whole number that is not negative. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest > 127 ? (rest & 127) | 128 : rest);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

const operation =
  (...code: number[]) =>
  (...operands: readonly Code[]): Code => [...operands.flat(), ...code];

/** Memory instructions promise alignment to 4 bytes (2² here) and add a constant offset to their address. */
const access =
  (...code: number[]) =>
  (offset: number, ...operands: readonly Code[]): Code => [...operands.flat(), ...code, 2, ...unsigned(offset)];

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
/** A constant from 0 to 63, which LEB128 writes in one byte with or without a sign. */
export const constant = (value: number): Code => [0x41, value];
export const add = operation(0x6a);
export const subtract = operation(0x6b);
export const multiply = operation(0x6c);
export const isBelow = operation(0x49);
export const isAtLeast = operation(0x4f);

export const loadFloat = access(0x2a);
export const storeFloat = access(0x38);
export const loadVector = access(0xfd, 0x00);
/** One float32 in all four lanes. */
export const loadSplat = access(0xfd, 0x09);
export const storeVector = access(0xfd, 0x0b);
export const addVectors = operation(0xfd, 0xe4, 0x01);
export const multiplyVectors = operation(0xfd, 0xe6, 0x01);

const NOTHING = 0x40;
const END = 0x0b;

/** Runs `body` as long as the condition holds, asked for before each turn. */
export const whilst = (condition: Code, ...body: readonly Code[]): Code => [
  ...[0x02, NOTHING, 0x03, NOTHING],
  ...condition,
  ...[0x45, 0x0d, 1], // leave when it does not hold
  ...body.flat(),
  ...[0x0c, 0, END, END],
];

/** A function of whole numbers that returns nothing; its locals are the parameters, then whole numbers, then vectors. */
export interface FunctionCode {
  readonly parameters: number;
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

const I32 = 0x7f;
const V128 = 0x7b;
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const section = (id: number, items: readonly Code[]): Code => [id, ...sized(vector(items))];
const text = (characters: string): Code => sized([...Buffer.from(characters)]);

/** A module of these functions, exported by their names, on the memory that it is given as `host.memory`. */
export function assemble(functions: Readonly<Record<string, FunctionCode>>): Uint8Array<ArrayBuffer> {
  const all = Object.entries(functions);
  const types = all.map(([, {parameters}]) => [0x60, ...vector(Array.from({length: parameters}, () => [I32])), 0]);
  const bodies = all.map(([, {integers, vectors, body}]) => {
    const locals = vector([
      [...unsigned(integers), I32],
      [...unsigned(vectors), V128],
    ]);
    return sized([...locals, ...body, END]);
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [[...text('host'), ...text('memory'), 0x02, 0x00, 0x00]]),
    ...section(
      3,
      all.map((_, index) => unsigned(index)),
    ),
    ...section(
      7,
      all.map(([name], index) => [...text(name), 0x00, ...unsigned(index)]),
    ),
    ...section(10, bodies),
  ]);
}
