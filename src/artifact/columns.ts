import {ArtifactError} from './artifact-error.ts';
import {BASE_COLUMNS, type Columns, type ColumnType, type TableKind} from './kinds.ts';

/** As much of a stage's output declaration as decides its bytes. */
export interface TableOutput {
  readonly kind: TableKind;
  readonly columns?: Columns;
}

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * Columns of an output in the order of its file: the kind's own, then the declared ones in declared order. An array, because
 * an object would move columns whose names are integers to the front.
 *
 * @throws ArtifactError when there is no column at all, one without a name, or one named as the kind's own with another type.
 */
export function columnsOf(output: TableOutput): readonly Column[] {
  const own = BASE_COLUMNS[output.kind];
  const columns: Column[] = Object.entries(own).map(([name, type]) => ({name, type}));
  for (const [name, type] of Object.entries(output.columns ?? {})) {
    const mine = Object.hasOwn(own, name) ? own[name] : undefined;
    if (mine !== undefined && mine !== type)
      throw new ArtifactError(
        `The column "${name}" is declared as ${type}, but in a ${output.kind} table it is ${mine}.`,
        'Give the column another name in the stage file.',
      );
    if (mine === undefined) columns.push({name, type});
  }
  if (columns.some(({name}) => name === '' || !name.isWellFormed()))
    throw new ArtifactError(`A ${output.kind} output declares a column without a name.`, 'Name it in the stage file.');
  if (columns.length === 0)
    throw new ArtifactError(
      `A ${output.kind} output declares no columns.`,
      'Name its columns in the stage file: `columns: {…}`.',
    );
  return columns;
}
