import {compile, type TopLevelSpec} from 'vega-lite';
import type {Rows} from '../artifact/kinds.ts';
import {isJsonObject, type JsonObject} from '../base/json.ts';
import {fail, ok, type Result} from '../base/result.ts';
import type {Plot} from './graph.ts';

/** The rows of a table by its name, `NODE.ARTIFACT`. */
export type RowsOf = (table: string) => Rows;

export interface CompiledPlot {
  readonly vega: ReturnType<typeof compile>['spec'];
  /** What Vega-Lite leaves out or replaces. */
  readonly warnings: readonly string[];
}

/** A plot as Vega-Lite that stands alone, its rows in it. */
export function plotWithRows({specification, tables}: Plot, rowsOf: RowsOf): JsonObject {
  const rows = tables.map(({node, artifact}) => [`${node}.${artifact}`, rowsOf(`${node}.${artifact}`)] as const);
  const own = isJsonObject(specification.datasets) ? specification.datasets : {};
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    ...specification,
    datasets: {...own, ...Object.fromEntries(rows)},
  };
}

/** From Vega-Lite to Vega; the error is what its compiler says. */
export function compilePlot(plot: Plot, rowsOf: RowsOf): Result<CompiledPlot, string> {
  // A copy, which is its own to change.
  const specification: TopLevelSpec = JSON.parse(JSON.stringify(plotWithRows(plot, rowsOf)));
  const warnings: string[] = [];
  try {
    const {spec} = compile(specification, {logger: collecting(warnings)});
    return ok({vega: spec, warnings});
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/** What is wrong with an expression, and at which of its characters where that is known. */
export function expressionFault(text: string): {readonly message: string; readonly index?: number} | undefined {
  try {
    compile({data: {values: []}, mark: 'point', transform: [{calculate: text, as: 'value'}]});
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) return {message: String(error)};
    const {message} = error;
    return 'index' in error && typeof error.index === 'number' ? {message, index: error.index} : {message};
  }
}

type Logger = NonNullable<NonNullable<Parameters<typeof compile>[1]>['logger']>;

/** A logger of Vega and Vega-Lite that keeps warnings and errors. */
export function collecting(told: string[]): Logger {
  const keep = (...parts: readonly unknown[]): Logger => {
    told.push(parts.map(String).join(' '));
    return logger;
  };
  const logger: Logger = {
    level: () => logger,
    error: keep,
    warn: keep,
    info: () => logger,
    debug: () => logger,
  };
  return logger;
}
