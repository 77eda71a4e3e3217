import type {JsonObject} from '../base/json.ts';

/** `NODE.ARTIFACT`, as a pattern of JSON Schema. */
export const REFERENCE = '^[A-Za-z0-9_][A-Za-z0-9_-]*(\\.[A-Za-z0-9_-]+)+$';

const ROWS_OF_TABLE: JsonObject = {
  type: 'object',
  properties: {
    from: {type: 'string', pattern: REFERENCE, description: 'NODE.ARTIFACT, a table; its axes are columns too.'},
    values: {description: 'Rows, or values, that stand here.'},
    url: false,
  },
};

/** The rest is for Vega-Lite's own schema, which is larger than all of this and is held to when a pipeline is read. */
export const plotSchema: JsonObject = {
  type: 'object',
  description: 'A Vega-Lite specification with a name, whose data come from a table.',
  properties: {
    name: {type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$', description: 'As in basin show FILE plots.NAME.'},
    data: ROWS_OF_TABLE,
    mark: {description: 'How a row is drawn: point, line, bar, area, errorbar, errorband, rule, text, …'},
    encoding: {type: 'object', description: 'What columns decide: {x: {field: alpha, type: quantitative}, y: …}.'},
    layer: {type: 'array', items: {type: 'object'}, description: 'Views on top of each other.'},
    transform: {type: 'array', items: {type: 'object'}, description: 'filter, calculate, aggregate, … before drawing.'},
  },
  required: ['name'],
};
