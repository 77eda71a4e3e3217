import {type Loader, parse, resetSVGDefIds, View} from 'vega';
import {fail, ok, type Result} from '../base/result.ts';
import {collecting, compilePlot, type RowsOf} from '../graph/compile-plot.ts';
import type {Plot} from '../graph/graph.ts';

export interface Drawing {
  readonly svg: string;
  /** What Vega-Lite and Vega left out or replaced. */
  readonly warnings: readonly string[];
}

/**
 * A plot as SVG, equal bytes for equal rows: widths of texts are estimated, so no font of the machine decides. Nothing is fetched: Vega would
 * draw on without what failed to load, so what it asks for is the error, a sentence.
 */
export async function drawPlot(plot: Plot, rowsOf: RowsOf): Promise<Result<Drawing, string>> {
  const compiled = compilePlot(plot, rowsOf);
  if (!compiled.ok) return compiled;
  const told: string[] = [];
  const asked: string[] = [];
  const refuse = (uri: string): Promise<never> => {
    asked.push(uri);
    return Promise.reject(new Error(`"${uri}" is not fetched.`));
  };
  // A picture is asked for by its address, which then stands in the SVG; a link is only followed by who clicks on it.
  const sanitize: Loader['sanitize'] = async (uri, {context}) => {
    if (context !== 'href' || !/^https?:/i.test(uri)) asked.push(uri);
    return {href: uri};
  };
  const loader: Loader = {load: refuse, sanitize, http: refuse, file: refuse};
  resetSVGDefIds(); // they are counted over all drawings of a process
  try {
    const view = new View(parse(compiled.value.vega), {renderer: 'none', loader, logger: collecting(told)});
    const svg = await view.toSVG();
    view.finalize();
    const [first] = asked;
    if (first !== undefined) return fail(`It asks for "${first}", and nothing is fetched for a plot.`);
    return ok({svg: `${svg}\n`, warnings: [...compiled.value.warnings, ...told]});
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}
