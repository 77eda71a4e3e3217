import type {BackendWasm} from '@tensorflow/tfjs-backend-wasm';
import {PANEL_COLUMNS, type PanelModule, panelModule} from './panel-module.ts';

export const FLOAT_BYTES = 4;
/** Rows of a panel: 8 kB of it, which stay in the nearest cache beside what is read of the left operand. */
const PANEL_ROWS = 256;

/** A matrix in the module's memory; strides and address in bytes. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly address: number;
}

/** Multiplies into an address: out += left · right, `out` a matrix in C order. */
type MultiplyInto = (left: Matrix, right: Matrix, out: number) => void;

function memoryOf({wasm}: BackendWasm): WebAssembly.Memory {
  // Emscripten's exports, which the package's type of its module leaves out.
  const all = 'asm' in wasm && typeof wasm.asm === 'object' && wasm.asm !== null ? Object.values(wasm.asm) : [];
  const memory: unknown = all.find((value) => value instanceof WebAssembly.Memory);
  if (memory instanceof WebAssembly.Memory) return memory;
  throw new Error('Internal error: the wasm back end does not show its memory');
}

/** The work on one pair of matrices. `panel` and `edge` are addresses of scratch memory. */
function multiplyPanels(
  panels: PanelModule,
  heap: Float32Array,
  {panel, edge}: {readonly panel: number; readonly edge: number},
  left: Matrix,
  right: Matrix,
  out: number,
): void {
  const [outRow, edgeRow] = [right.columns * FLOAT_BYTES, PANEL_COLUMNS * FLOAT_BYTES];
  for (let column = 0; column < right.columns; column += PANEL_COLUMNS) {
    const columns = Math.min(PANEL_COLUMNS, right.columns - column);
    const whole = columns === PANEL_COLUMNS;
    const target = out + column * FLOAT_BYTES;
    if (!whole) {
      heap.fill(0, panel / FLOAT_BYTES, panel / FLOAT_BYTES + PANEL_ROWS * PANEL_COLUMNS);
      heap.fill(0, edge / FLOAT_BYTES, edge / FLOAT_BYTES + left.rows * PANEL_COLUMNS);
    }
    for (let first = 0; first < right.rows; first += PANEL_ROWS) {
      const inner = Math.min(PANEL_ROWS, right.rows - first);
      const from = right.address + first * right.rowStride + column * right.columnStride;
      if (whole && right.columnStride === FLOAT_BYTES) panels.packRows(from, right.rowStride, panel, inner);
      else panels.packColumns(from, right.rowStride, right.columnStride, panel, inner, columns);
      panels.multiplyPanel(
        left.address + first * left.columnStride,
        left.rowStride,
        left.columnStride,
        panel,
        whole ? target : edge,
        whole ? outRow : edgeRow,
        left.rows,
        inner,
      );
    }
    if (whole) continue;
    for (let row = 0; row < left.rows; row++) {
      for (let i = 0; i < columns; i++) {
        const place = target / FLOAT_BYTES + row * right.columns + i;
        heap[place] = (heap[place] ?? 0) + (heap[edge / FLOAT_BYTES + row * PANEL_COLUMNS + i] ?? 0);
      }
    }
  }
}

/**
 * Lends `work` a product for up to so many rows of the left operand. `work` must not make tensors: that can replace the
 * view of the memory. Every sum runs over the inner index in order, whatever the shapes.
 */
export type MatrixProducts = (rows: number, work: (multiplyInto: MultiplyInto) => void) => void;

/** Products on the memory of the loaded wasm back end. */
export function matrixProducts(backend: BackendWasm): MatrixProducts {
  const panels = panelModule(memoryOf(backend));
  return (rows, work) => {
    const panel = backend.makeOutput([PANEL_ROWS, PANEL_COLUMNS], 'float32');
    const edge = backend.makeOutput([rows, PANEL_COLUMNS], 'float32');
    const heap = new Float32Array(backend.typedArrayFromHeap(edge).buffer);
    const scratch = {panel: backend.getMemoryOffset(panel.dataId), edge: backend.getMemoryOffset(edge.dataId)};
    work((left, right, out) => multiplyPanels(panels, heap, scratch, left, right, out));
    for (const {dataId} of [panel, edge]) backend.disposeData(dataId);
  };
}
