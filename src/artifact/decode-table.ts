import {type Data, DataType, type Field} from 'apache-arrow';
import {ArtifactError} from './artifact-error.ts';
import type {Column} from './columns.ts';
import {BASE_COLUMNS, type Cell, type ColumnType, type Rows, type TableKind} from './kinds.ts';
import type {ArrowFile} from './read-arrow-file.ts';

/** The columns of a table's file, in its order. */
function columnsOfFile(kind: TableKind, file: ArrowFile): readonly Column[] {
  const columns = file.schema.fields.map((field) => ({name: field.name, type: columnType(field, file.name)}));
  const types = new Map(columns.map(({name, type}) => [name, type]));
  if (types.size !== columns.length) throw new ArtifactError(`${file.name} has two columns of one name.`);
  for (const [name, type] of Object.entries(BASE_COLUMNS[kind]))
    if (types.get(name) !== type)
      throw new ArtifactError(`${file.name} lacks the ${type} column "${name}", which every ${kind} table has.`);
  return columns;
}

function columnType({name, type}: Field, file: string): ColumnType {
  if (DataType.isUtf8(type)) return 'utf8';
  if (DataType.isFloat(type) && type.precision === 2) return 'float64';
  if (DataType.isInt(type) && type.bitWidth === 32 && type.isSigned) return 'int32';
  if (DataType.isBool(type)) return 'bool';
  throw new ArtifactError(`${file} has a column "${name}" of type ${type}, which no table of basin has.`);
}

export function decodeTable(kind: TableKind, file: ArrowFile): Rows {
  const columns = columnsOfFile(kind, file);
  return file.batches.flatMap(({rows, columns: data}) => {
    const cells = columns.map(({type}, index) => cellReader(type, data[index]));
    return Array.from({length: rows}, (_, row) =>
      Object.fromEntries(columns.map(({name}, index) => [name, cells[index]?.(row) ?? missing(file.name)])),
    );
  });
}

const missing = (file: string): never => {
  throw new ArtifactError(`${file} lacks a cell.`);
};

// `fatal`, since replacing bad bytes would hand on text that nobody wrote.
const UTF8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

function cellReader(type: ColumnType, data: Data | undefined): (row: number) => Cell | undefined {
  if (data === undefined) return () => undefined;
  const {values, valueOffsets} = data;
  switch (type) {
    case 'utf8':
      return (row) => UTF8.decode(values.subarray(valueOffsets[row], valueOffsets[row + 1]));
    case 'float64':
    case 'int32':
      return (row) => values[row];
    case 'bool':
      return (row) => ((values[row >> 3] >> (row & 7)) & 1) === 1;
  }
}
