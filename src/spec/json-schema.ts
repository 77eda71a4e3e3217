import {ARTIFACT_KINDS, COLUMN_TYPES} from '../artifact/kinds.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {Registry, Stage} from '../stage/define-stage.ts';
import {plotSchema, REFERENCE} from './plot-schema.ts';
import {MOST_RETRIES} from './retries.ts';
import {stageParameters} from './stage-parameters.ts';

const AXIS: JsonObject = {
  description: 'The values of an axis: a list, linspace, logspace, range, or an expression.',
  anyOf: [
    {type: 'array', minItems: 1},
    {type: 'string', pattern: '^\\$\\{.*\\}$'},
    spacing('linspace', '[from, to, count], both ends included'),
    spacing('logspace', '[from, to, count] by equal ratios, both ends included; the ends are values above 0'),
    spacing('range', '[from, to, step], the end included when a step meets it'),
  ],
};

function spacing(form: string, description: string): JsonObject {
  const three: JsonObject = {type: 'array', items: {type: ['number', 'string']}, minItems: 3, maxItems: 3, description};
  return {type: 'object', properties: {[form]: three}, required: [form], additionalProperties: false};
}

const AXES: JsonObject = {type: 'object', additionalProperties: AXIS};
const ROWS: JsonObject = {
  type: 'array',
  items: {
    anyOf: [
      {type: 'object', minProperties: 1},
      {type: 'string', pattern: '^\\$\\{.*\\}$'},
    ],
  },
};

const SWEEP: JsonObject = {
  description: 'Axes, which multiply; or {axes, zip, include, exclude}.',
  anyOf: [
    {...AXES, propertyNames: {not: {enum: ['axes', 'zip', 'include', 'exclude']}}},
    {
      type: 'object',
      properties: {
        axes: {...AXES, description: 'Axes that multiply.'},
        zip: {
          anyOf: [AXES, {type: 'array', items: AXES}],
          description: 'Axes of equally many values that go together, value by value; a list of such groups.',
        },
        include: {...ROWS, description: 'Rows that set parameters of the points they equal, or add a point.'},
        exclude: {...ROWS, description: 'Points that are left out.'},
      },
      additionalProperties: false,
    },
    {type: 'string', pattern: '^\\$\\{.*\\}$'},
  ],
};

const INPUT: JsonObject = {
  anyOf: [
    {type: 'string', pattern: REFERENCE},
    {
      type: 'object',
      properties: {
        from: {type: 'string', pattern: REFERENCE, description: 'NODE.ARTIFACT'},
        as: {type: 'object', additionalProperties: {type: 'string'}, description: 'New names of axes: {old: new}'},
        over: {type: 'array', items: {type: 'string'}, description: 'The axes to gather over'},
        previous: {type: 'string', description: "The axis along which it comes from the node's own earlier point"},
      },
      required: ['from'],
      additionalProperties: false,
    },
  ],
};

/**
 * The JSON Schema (draft-07) of a pipeline file, for editors: `uses` decides what `in` and `with` take.
 *
 * It is looser than the reader where an editor cannot know: any parameter may be an expression, and a required
 * parameter may be set by an axis.
 */
export function pipelineSchema(registry: Registry): JsonObject {
  const stages = [...registry.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'basin pipeline',
    type: 'object',
    properties: {
      name: {type: 'string', description: 'Name of the pipeline; the name of the file when left out.'},
      use: USE,
      params: {type: 'object', description: 'Named values for expressions; overridden by --set and --params.'},
      stages: {
        type: 'object',
        propertyNames: {pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]*$'},
        additionalProperties: {$ref: '#/definitions/node'},
        minProperties: 1,
      },
      expect: {type: 'array', items: EXPECTATION},
      plots: {
        type: 'array',
        items: plotSchema,
        description: 'Pictures of tables, drawn by basin show FILE plots.NAME.',
      },
    },
    required: ['stages'],
    additionalProperties: false,
    definitions: {
      node: nodeSchema(stages),
      ...Object.fromEntries(stages.flatMap((stage) => Object.entries(definitionsOf(stage)))),
    },
  };
}

const USED: JsonObject = {
  anyOf: [
    {type: 'string', minLength: 1},
    {
      type: 'object',
      properties: {
        file: {type: 'string', minLength: 1, description: 'The path of a pipeline, from the folder of this one.'},
        params: {type: 'object', description: 'Other values for its params.'},
      },
      required: ['file'],
      additionalProperties: false,
    },
  ],
};

const USE: JsonObject = {
  description:
    'Other pipelines whose nodes this one takes from, as NAME.NODE: a file, a list of files, or {NAME: FILE}.',
  anyOf: [
    {type: 'string', minLength: 1},
    {type: 'array', items: {type: 'string', minLength: 1}},
    {type: 'object', additionalProperties: USED},
  ],
};

const EXPECTATION: JsonObject = {
  type: 'object',
  properties: {
    of: {type: 'string', pattern: REFERENCE, description: 'NODE.ARTIFACT, a table'},
    where: {type: 'string', description: 'Only rows that meet this condition are held to `that`.'},
    that: {type: 'string', description: 'The condition that every row must meet; no row at all fails.'},
  },
  required: ['of', 'that'],
  additionalProperties: false,
};

const COLUMN_TYPE: JsonObject = {enum: COLUMN_TYPES};
const OUTPUT_KIND: JsonObject = {enum: ARTIFACT_KINDS};
const ARGUMENT: JsonObject = {type: ['string', 'number', 'boolean']};

/** What a node has that runs a program. */
const COMMAND_PROPERTIES: JsonObject = {
  run: {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it is written in a pipeline
    description: 'A program and its arguments. ${in.NAME} and ${out.NAME} are the paths of inputs and outputs.',
    anyOf: [
      {type: 'array', items: ARGUMENT, minItems: 1},
      {type: 'string', pattern: '^\\$\\{.*\\}$'},
    ],
  },
  out: {
    type: 'object',
    description: 'What the program writes: names and kinds.',
    additionalProperties: {
      anyOf: [
        OUTPUT_KIND,
        {
          type: 'object',
          properties: {
            kind: OUTPUT_KIND,
            columns: {type: 'object', additionalProperties: COLUMN_TYPE},
            extension: {type: 'string', description: "Of the file's name, as in csv."},
          },
          required: ['kind'],
          additionalProperties: false,
        },
      ],
    },
  },
  files: {
    description:
      'Scripts and data that the program reads: paths, folders or patterns; or names it sees, each with its path.',
    anyOf: [
      {type: 'array', items: {type: 'string'}},
      {type: 'object', additionalProperties: {type: 'string'}},
      {type: 'string', pattern: '^\\$\\{.*\\}$'},
    ],
  },
  env: {
    description: 'Variables of the environment: names to pass on, or names with their values.',
    anyOf: [
      {type: 'array', items: {type: 'string'}},
      {type: 'object', additionalProperties: {type: ['string', 'number', 'boolean', 'null']}},
    ],
  },
};

function nodeSchema(stages: readonly Stage[]): JsonObject {
  return {
    type: 'object',
    properties: {
      uses: {
        description: 'The stage.',
        oneOf: [
          ...stages.map(({name, doc}): JsonObject => ({const: name, description: doc})),
          {
            type: 'string',
            pattern: '^\\.{0,2}/',
            description: 'A stage of your own: a TypeScript file, from the folder of this one.',
          },
        ],
      },
      in: {type: 'object', description: 'Where each input comes from.'},
      with: {type: 'object', description: 'The parameters of the stage.'},
      sweep: SWEEP,
      ...COMMAND_PROPERTIES,
      timeout: {type: 'string', description: 'How long an instance may take, as in 90s, 10min or 2h.'},
      resources: {
        description: 'What an instance takes of the machine while it runs, as in {gpu: 1, memory: 8GB, threads: 2}.',
        type: 'object',
        additionalProperties: {type: ['number', 'string']},
      },
      mutex: {type: 'string', minLength: 1, description: 'Of all nodes with this name one instance runs at a time.'},
      retries: {
        description:
          'How often an instance is tried again whose worker process died, then from its checkpoint, or whose program failed.',
        default: 0,
        anyOf: [
          {type: 'integer', minimum: 0, maximum: MOST_RETRIES},
          {type: 'string', pattern: '^\\$\\{.*\\}$'},
        ],
      },
    },
    anyOf: [{required: ['uses']}, {required: ['run']}],
    additionalProperties: false,
    allOf: stages.map((stage) => ({
      if: {properties: {uses: {const: stage.name}}, required: ['uses']},
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: {
        properties: {in: inputsSchema(stage), with: withSchema(stage)},
        ...(Object.values(stage.inputs).some(({optional}) => !optional) && {required: ['in']}),
      },
    })),
  };
}

function inputsSchema({inputs}: Stage): JsonObject {
  const entries = Object.entries(inputs);
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, {doc, kind}]) => [name, {...INPUT, description: `${doc} (${kind})`}]),
    ),
    required: entries.flatMap(([name, {optional}]) => (optional ? [] : [name])),
    additionalProperties: false,
  };
}

/** A stage's own definitions under names of their own, so that two stages may use one name. */
function definitionsOf(stage: Stage): JsonObject {
  const {definitions} = stageParameters(stage).schema;
  if (!isJsonObject(definitions)) return {};
  return Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [`${stage.name}.${name}`, hoisted(schema, stage)]),
  );
}

function hoisted(schema: Json, stage: Stage): Json {
  if (schema === null || typeof schema !== 'object') return schema;
  if (Array.isArray(schema)) return schema.map((part) => hoisted(part, stage));
  return Object.fromEntries(
    Object.entries(schema).map(([key, part]) => [
      key,
      key === '$ref' && typeof part === 'string'
        ? part.replace('#/definitions/', `#/definitions/${stage.name}.`)
        : hoisted(part, stage),
    ]),
  );
}

function withSchema(stage: Stage): JsonObject {
  const expression: JsonObject = {type: 'string', pattern: '\\$\\{.*\\}'};
  const properties = [...stageParameters(stage).byName].map(([name, schemas]): [string, JsonObject] => {
    const described = schemas.find(({description}) => typeof description === 'string');
    const description = described?.description ?? name;
    return [name, {description, anyOf: [...schemas.map((schema) => hoisted(schema, stage)), expression]}];
  });
  return {type: 'object', properties: Object.fromEntries(properties), additionalProperties: false};
}
