import {expect, test} from 'vitest';
import {parse} from 'yaml';
import {z} from 'zod';
import {isJsonObject, type Json, type JsonObject} from '../src/base/json.ts';
import {registry} from '../src/cli/registry.ts';
import {stageParameters} from '../src/spec/stage-parameters.ts';
import {completePreprocessor} from '../stages/lib/checkpoint/preprocessor.ts';
import {builtInDataSetSchema, userDataSetSchema} from '../stages/lib/data/data-set-value.ts';
import {bindModel, modelSchema} from '../stages/lib/models/registry.ts';
import {augmentSchema} from '../stages/lib/pictures/augment-schema.ts';
import {preprocessorSchema} from '../stages/lib/pictures/preprocessor-settings.ts';
import {optimizerSchema} from '../stages/lib/training/optimizer-settings.ts';
import {scheduleSchema} from '../stages/lib/training/schedule.ts';
import {named, read, sections} from './pages.ts';

const DATA = {name: 'mnist'};
const TRAINING = {data: DATA, length: '1ep', lr: 0.001};

/** The least that each stage takes, in each of its forms. */
const LEAST: Readonly<Record<string, readonly JsonObject[]>> = {
  'pretrain-load': [
    {source: 'random', model: {model: 'mlp'}},
    {source: 'upstream', labels: 10},
  ],
  finetune: [TRAINING],
  interpolate: [{data: DATA, alpha: 0.5}],
  barrier: [{}],
  'estimate-statistics': [{data: DATA}],
  instability: [{}],
  layerwise: [{data: DATA}, ...['cumulative', 'replacement', 'direction'].map((mode) => ({data: DATA, mode}))],
  'platon-prune': [{...TRAINING, keep: 0.5}],
  'gradual-prune': ['platon', 'random'].map((name) => ({...TRAINING, keep: 0.5, score: {name}})),
  imp: [{...TRAINING, prune: {rule: 'open_lth'}}],
  'magnitude-prune': [
    {rule: 'open_lth'},
    {rule: 'original'},
    {rule: 'bert-tickets', round: 0},
    {rule: 'exact', keep: 0.5},
  ],
  'mask-retrain': [TRAINING],
  'random-mask': [{}],
  'compare-masks': [{}],
  'random-reinit': [{}],
  'structured-prune': [{data: DATA, macs: 0.5}],
  evaluate: [{data: DATA}],
  select: [{by: 'error'}],
  summarize: [{columns: ['error']}],
  export: [{}],
  'merge-linear': [{}],
  'merge-slerp': [{t: 0.5}],
  'merge-greedy-soup': [{data: DATA}],
  'merge-task-arithmetic': [{}],
  'merge-ties': [{density: 0.5}],
  'merge-dare': [{density: 0.5}],
  'merge-model-stock': [{}],
};

/** A row of a table of defaults. */
interface Row {
  readonly name: string;
  /** Undefined where words stand, for what is asked for or worked out. */
  readonly literal: Json | undefined;
}

/** The rows of a section's tables that have a column of defaults. */
function rowsOf(text: string): readonly Row[] {
  const tables = [...text.matchAll(/^\| (?:parameter|field|setting) \| default \|.*\n((?:\|.*\n)*)/gm)];
  return tables.flatMap(([, body = '']) =>
    [...body.matchAll(/^\| `([\w.-]+)` \| (.*?) ?\|/gm)].map(([, name = '', cell = '']) => ({
      name,
      literal: literalOf(cell),
    })),
  );
}

/** What a cell writes out: in backticks, a number (1/255 too), a truth value or a list. */
function literalOf(cell: string): Json | undefined {
  const [, quoted] = /^`([^`]*)`$/.exec(cell) ?? [];
  const text = quoted ?? (/^(?:-?\d[\d./e-]*|true|false|\[.*\])$/.test(cell) ? cell : undefined);
  return text === undefined
    ? undefined
    : z.json().parse(parse(text.replace(/(\d+)\/(\d+)/g, (_, above, below) => String(above / below))));
}

const has = (settings: JsonObject, [first = '', ...rest]: readonly string[]): boolean => {
  const inner = settings[first];
  if (inner === undefined || rest.length === 0) return inner !== undefined;
  return isJsonObject(inner) && has(inner, rest);
};

function withSetting(settings: JsonObject, [first = '', ...rest]: readonly string[], value: Json): JsonObject {
  const inner = settings[first];
  return {...settings, [first]: rest.length === 0 ? value : withSetting(isJsonObject(inner) ? inner : {}, rest, value)};
}

type Read = (settings: JsonObject) => unknown;

/** That a default written out is read as it is when it is left out, in every form that takes it, and that one form does. */
function expectDefault(row: Row, least: readonly JsonObject[], readSettings: Read, path = row.name.split('.')): void {
  if (row.literal === undefined) return;
  const value = row.literal;
  let taken = 0;
  for (const settings of least) {
    if (has(settings, path)) continue;
    const given = attempt(() => readSettings(withSetting(settings, path, value)));
    if (given === undefined) continue;
    taken++;
    expect(given, `${row.name}: ${JSON.stringify(value)}`).toEqual(readSettings(settings));
  }
  expect(taken, `nothing takes ${row.name}: ${JSON.stringify(value)}`).toBeGreaterThan(0);
}

function attempt(readSettings: () => unknown): unknown {
  try {
    return readSettings();
  } catch {
    return undefined;
  }
}

const stages = [...registry.values()];

test.for(stages)('docs/science has one entry of $name: defaults, source, and where basin differs', ({name}) => {
  const [entry = '', ...others] = sections('docs/science', name);
  expect(others).toEqual([]);
  expect(entry).toContain('**Source.**');
  expect(entry).toContain('**Different here.**');
  expect(entry.includes('**Defaults.**') || entry.includes('| default |')).toBe(true);
  expect(read('docs/science.md')).toMatch(new RegExp(`\\[${name}\\]\\(science/\\w+\\.md#${name}\\)`));
});

test.for(stages)('the defaults of $name in docs/science and docs/stages are those of the code', (stage) => {
  const least = LEAST[stage.name] ?? [];
  expect(least, 'LEAST has no form of this stage').not.toEqual([]);
  const {byName} = stageParameters(stage);
  for (const row of ['docs/science', 'docs/stages'].flatMap((under) => sections(under, stage.name)).flatMap(rowsOf)) {
    expectDefault(row, least, (settings) => stage.params.parse(settings));
    const constant = byName.get(row.name)?.some((property) => 'default' in property) ?? false;
    expect(constant && row.literal === undefined, `${row.name} has a default, and words stand in its place`).toBe(
      false,
    );
  }
});

const optimizers = optimizerSchema.unwrap().options[0].options;

test.for(optimizers)('docs/science has the optimizer %s with its defaults', (name) => {
  const [text = ''] = sections('docs/science', name);
  const rows = rowsOf(text);
  expect(rows).not.toEqual([]);
  const least = [{...TRAINING, optimizer: name === 'torch' || name === 'trainer' ? name : {name}}];
  const finetune = registry.get('finetune');
  for (const row of rows) {
    const path = row.name === 'weight_decay' || row.name === 'decay' ? [row.name] : ['optimizer', row.name];
    expectDefault(row, least, (settings) => finetune?.params.parse(settings), path);
  }
});

/** Values that are not stages: where they stand, and how they are read. */
const values: readonly (readonly [heading: string, least: readonly JsonObject[], readSettings: Read])[] = [
  ...['vit', 'mlp', './model.ts'].map(
    (model) =>
      [
        model === './model.ts' ? 'A model of yours' : model,
        [{model}],
        (given: JsonObject) => modelSchema.parse(given),
      ] as const,
  ),
  ['resnet', ['batch', 'group'].map((norm) => ({model: 'resnet', norm})), (given) => modelSchema.parse(given)],
  ['Preprocessor', [{}], (given) => completePreprocessor(preprocessorSchema.parse(given), bindModel({model: 'vit'}))],
  [
    'Data sets',
    [{name: './data.ts'}, {name: 'mnist'}],
    (given) => z.union([builtInDataSetSchema, userDataSetSchema]).parse(given),
  ],
  ['Schedules', [{name: 'linear'}, {name: 'step', milestones: ['1ep']}], (given) => scheduleSchema.parse(given)],
  ...['random-crop', 'random-resized-crop'].map(
    (name) =>
      [
        name,
        [{size: 24, ...(name === 'random-crop' && {padding: 4})}],
        (given: JsonObject) => augmentSchema.parse([{[name]: given}]),
      ] as const,
  ),
];

test.for(values)('the defaults of %s are those of the code', ([heading, least, readSettings]) => {
  const rows = sections('docs/s', heading).flatMap(rowsOf);
  expect(rows.filter(({literal}) => literal !== undefined)).not.toEqual([]);
  for (const row of rows) expectDefault(row, least, readSettings);
});

test('docs/science has every augmentation and every schedule', () => {
  const listed = z.object({
    items: z.object({anyOf: z.array(z.object({properties: z.record(z.string(), z.unknown())}))}),
  });
  const {items} = listed.parse(z.toJSONSchema(augmentSchema, {io: 'input', unrepresentable: 'any'}));
  const names = items.anyOf.flatMap(({properties}) => Object.keys(properties).slice(0, 1));
  const [text = ''] = sections('docs/science', 'Augmentation');
  const described = new Set([...named(text), ...[...text.matchAll(/^### (.*)$/gm)].map(([, name = '']) => name)]);
  expect(names.filter((name) => !described.has(name))).toEqual([]);
  const [schedules = ''] = sections('docs/science', 'Schedules');
  for (const name of ['linear', 'cosine', 'constant', 'step']) expect(named(schedules)).toContain(name);
});
