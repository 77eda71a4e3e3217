import {
  add,
  addVectors,
  assemble,
  type Code,
  constant,
  type FunctionCode,
  get,
  isAtLeast,
  isBelow,
  loadFloat,
  loadSplat,
  loadVector,
  multiply,
  multiplyVectors,
  set,
  storeFloat,
  storeVector,
  subtract,
  whilst,
} from './assemble.ts';

/** Columns of a panel: two vectors of four float32. */
export const PANEL_COLUMNS = 8;
const HALF_BYTES = 16;
const ROW_BYTES = 2 * HALF_BYTES;
/** Rows computed at once: eight sums, enough to hide the time an addition takes, and they all fit into registers. */
const TILE_ROWS = 4;

const increase = (local: number, ...by: readonly Code[]): Code => set(local, add(get(local), ...by));
const range = (length: number): readonly number[] => [...Array(length).keys()];

/** c += a · panel for `rows` rows and PANEL_COLUMNS columns; a's strides are free, so it may be a transposed matrix. */
function multiplyPanel(): FunctionCode {
  const [a, aRow, aInner, panel, c, cRow, rows, inner, end, at] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const aAt = (row: number) => 10 + row;
  const cAt = (row: number) => 10 + TILE_ROWS + row;
  const firstVector = 10 + 2 * TILE_ROWS;
  const sum = (row: number, half: number) => firstVector + 2 * row + half;
  const panelHalf = (half: number) => firstVector + 2 * TILE_ROWS + half;
  const factor = panelHalf(2);

  const tile = (height: number): Code[] => [
    ...range(height).flatMap((row) => [
      set(aAt(row), row === 0 ? get(a) : add(get(aAt(row - 1)), get(aRow))),
      set(cAt(row), row === 0 ? get(c) : add(get(cAt(row - 1)), get(cRow))),
      ...[0, 1].map((half) => set(sum(row, half), loadVector(half * HALF_BYTES, get(cAt(row))))),
    ]),
    set(at, get(panel)),
    whilst(
      isBelow(get(at), get(end)),
      ...[0, 1].map((half) => set(panelHalf(half), loadVector(half * HALF_BYTES, get(at)))),
      ...range(height).flatMap((row) => [
        set(factor, loadSplat(0, get(aAt(row)))),
        increase(aAt(row), get(aInner)),
        ...[0, 1].map((half) =>
          set(sum(row, half), addVectors(get(sum(row, half)), multiplyVectors(get(factor), get(panelHalf(half))))),
        ),
      ]),
      increase(at, constant(ROW_BYTES)),
    ),
    ...range(height).flatMap((row) =>
      [0, 1].map((half) => storeVector(half * HALF_BYTES, get(cAt(row)), get(sum(row, half)))),
    ),
    increase(a, multiply(get(aRow), constant(height))),
    increase(c, multiply(get(cRow), constant(height))),
    set(rows, subtract(get(rows), constant(height))),
  ];

  return {
    parameters: 8,
    integers: 2 + 2 * TILE_ROWS,
    vectors: 2 * TILE_ROWS + 3,
    body: [
      ...set(end, add(get(panel), multiply(get(inner), constant(ROW_BYTES)))),
      ...whilst(isAtLeast(get(rows), constant(TILE_ROWS)), ...tile(TILE_ROWS)),
      ...whilst(get(rows), ...tile(1)),
    ],
  };
}

/** Copies `inner` rows of PANEL_COLUMNS neighbouring values, `bRow` bytes apart, into a panel. */
function packRows(): FunctionCode {
  const [b, bRow, panel, inner, end] = [0, 1, 2, 3, 4];
  return {
    parameters: 4,
    integers: 1,
    vectors: 0,
    body: [
      ...set(end, add(get(panel), multiply(get(inner), constant(ROW_BYTES)))),
      ...whilst(
        isBelow(get(panel), get(end)),
        ...[0, HALF_BYTES].map((offset) => storeVector(offset, get(panel), loadVector(offset, get(b)))),
        increase(b, get(bRow)),
        increase(panel, constant(ROW_BYTES)),
      ),
    ],
  };
}

/** Copies up to PANEL_COLUMNS columns of `inner` values, with any strides in bytes, into a panel. */
function packColumns(): FunctionCode {
  const [b, bRow, bColumn, panel, inner, columns, end, from, to] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  return {
    parameters: 6,
    integers: 3,
    vectors: 0,
    body: whilst(
      get(columns),
      set(from, get(b)),
      set(to, get(panel)),
      set(end, add(get(panel), multiply(get(inner), constant(ROW_BYTES)))),
      whilst(
        isBelow(get(to), get(end)),
        storeFloat(0, get(to), loadFloat(0, get(from))),
        increase(from, get(bRow)),
        increase(to, constant(ROW_BYTES)),
      ),
      increase(b, get(bColumn)),
      increase(panel, constant(4)),
      set(columns, subtract(get(columns), constant(1))),
    ),
  };
}

type Integers<N extends number, All extends number[] = []> = All['length'] extends N
  ? (...values: All) => void
  : Integers<N, [...All, number]>;

/** The functions on the memory of another module; all numbers are addresses, strides in bytes, or counts. */
export interface PanelModule {
  readonly multiplyPanel: Integers<8>;
  readonly packRows: Integers<4>;
  readonly packColumns: Integers<6>;
}

const isPanelModule = (exports: object): exports is PanelModule =>
  'multiplyPanel' in exports && 'packRows' in exports && 'packColumns' in exports;

/** Compiles the functions for the vector instructions of WebAssembly, which every Node that runs basin has. */
export function panelModule(memory: WebAssembly.Memory): PanelModule {
  const bytes = assemble({multiplyPanel: multiplyPanel(), packRows: packRows(), packColumns: packColumns()});
  const {exports} = new WebAssembly.Instance(new WebAssembly.Module(bytes), {host: {memory}});
  if (!isPanelModule(exports)) throw new Error('Internal error: the panel module lacks a function');
  return exports;
}
