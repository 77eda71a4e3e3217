import {Bool, type Data, Float64, Int32, makeData, Utf8} from 'apache-arrow';
import {nearestName} from '../base/nearest.ts';
import {nonNull, writeArrowFile} from './arrow-file.ts';
import {ArtifactError} from './artifact-error.ts';
import {type Column, columnsOf, type TableOutput} from './columns.ts';
import type {Cell, ColumnType, Rows} from './kinds.ts';
import {encodeUtf8Column} from './utf8-column.ts';

const ARROW_TYPES = {
  utf8: () => new Utf8(),
  float64: () => new Float64(),
  int32: () => new Int32(),
  bool: () => new Bool(),
} as const satisfies Record<ColumnType, () => unknown>;

/** A table as one record batch, rows in the order given. */
export function encodeTable(output: TableOutput, rows: Rows): Uint8Array {
  const columns = columnsOf(output);
  refuseUndeclared(columns, rows);
  const fields = columns.map(({name, type}) => nonNull(name, ARROW_TYPES[type]()));
  const data = columns.map((column) => encodeColumn(column, rows));
  return writeArrowFile(output.kind, fields, rows.length === 0 ? [] : [{rows: rows.length, columns: data}]);
}

function refuseUndeclared(columns: readonly Column[], rows: Rows): void {
  const declared = new Set(columns.map(({name}) => name));
  rows.forEach((row, index) => {
    for (const name of Object.keys(row)) {
      if (declared.has(name)) continue;
      const near = nearestName(name, declared);
      throw new ArtifactError(
        `Row ${index} has a cell "${name}", which is no column of this output.`,
        near === undefined
          ? `The columns are: ${[...declared].join(', ')}. Declare it under \`columns\` in the stage file.`
          : `Did you mean "${near}"?`,
      );
    }
  });
}

function encodeColumn({name, type}: Column, rows: Rows): Data {
  const length = rows.length;
  const cell = (index: number): Cell | undefined => {
    const row = rows[index];
    return row !== undefined && Object.hasOwn(row, name) ? row[name] : undefined;
  };
  switch (type) {
    case 'utf8':
      return encodeUtf8Column(
        rows.map((_, index) => {
          const value = cell(index);
          // A lone surrogate has no UTF-8: it would be read back as another string.
          if (typeof value !== 'string' || !value.isWellFormed()) throw wrongCell(name, type, index, value);
          return value;
        }),
      );
    case 'float64': {
      const values = new Float64Array(length);
      for (let index = 0; index < length; index++) {
        const value = cell(index);
        if (typeof value !== 'number' || Number.isNaN(value)) throw wrongCell(name, type, index, value);
        values[index] = value;
      }
      return makeData({type: new Float64(), length, nullCount: 0, data: values});
    }
    case 'int32': {
      const values = new Int32Array(length);
      for (let index = 0; index < length; index++) {
        const value = cell(index);
        if (typeof value !== 'number' || (value | 0) !== value) throw wrongCell(name, type, index, value);
        values[index] = value;
      }
      return makeData({type: new Int32(), length, nullCount: 0, data: values});
    }
    case 'bool': {
      const bits = new Uint8Array(Math.ceil(length / 8));
      for (let index = 0; index < length; index++) {
        const value = cell(index);
        if (typeof value !== 'boolean') throw wrongCell(name, type, index, value);
        if (value) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
      }
      return makeData({type: new Bool(), length, nullCount: 0, data: bits});
    }
  }
}

export const DIVERGED = 'The computation diverged or divided zero by zero: a lower learning rate may help.';

const TYPE_WORDS: Readonly<Record<ColumnType, string>> = {
  utf8: 'a text',
  float64: 'a number',
  int32: 'a whole number of 32 bits',
  bool: 'true or false',
};

function wrongCell(name: string, type: ColumnType, index: number, value: unknown): ArtifactError {
  const shown =
    value === undefined
      ? 'nothing'
      : typeof value === 'string'
        ? JSON.stringify(value.slice(0, 40))
        : typeof value === 'object'
          ? 'an object'
          : String(value);
  const hint = typeof value === 'number' && Number.isNaN(value) ? DIVERGED : undefined;
  return new ArtifactError(
    `Row ${index} of a table has ${shown} in column "${name}", which must hold ${TYPE_WORDS[type]}.`,
    hint,
  );
}
