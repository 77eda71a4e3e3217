import {basename, dirname, extname, resolve} from 'node:path';
import {nearestName} from '../base/nearest.ts';
import {fail, ok, type Result} from '../base/result.ts';
import {isVariableName, VARIABLE_HINT} from './cel.ts';
import {readCondition} from './condition.ts';
import {Faults} from './faults.ts';
import {type Overrides, overrideParams} from './overrides.ts';
import {readNode, readReference} from './read-node.ts';
import {readPlots} from './read-plots.ts';
import {readTree} from './read-tree.ts';
import {readUses} from './read-uses.ts';
import {decodeText} from './read-yaml.ts';
import {Resolver} from './resolve.ts';
import {asList, asMap, asText, fields} from './shape.ts';
import type {ExpectationSpec, Spec} from './spec.ts';
import type {Entry, MapTree, Place, Tree} from './tree.ts';
import {nodesOfUse, type Reading, type UsedFile} from './used-nodes.ts';

export interface PipelineText extends Overrides {
  /** As the user gave it; messages name it so. */
  readonly path: string;
  readonly text: string | Uint8Array;
}

const TOP_KEYS = ['name', 'use', 'params', 'stages', 'expect', 'plots'] as const;
const EXPECTATION_KEYS = ['of', 'where', 'that'] as const;
const STAGES_HINT = 'Write stages: {NODE: {uses: STAGE}}.';
const EXPECTATION_HINT = 'Write {of: NODE.ARTIFACT, where: "split == \'test\'", that: "error < 2"}.';

/** Reads a pipeline file: syntax, shape, params, sweeps. Every fault of it is in the error. */
export function readSpec(input: PipelineText): Result<Spec> {
  const faults = new Faults();
  const spec = draftSpec(input, faults);
  return spec && faults.none ? ok(spec) : fail(faults.all);
}

/** The spec as far as it can be read, so that the graph's faults can be shown beside these. */
export function draftSpec(
  input: PipelineText,
  faults: Faults,
  reading: Reading = {users: [], count: {files: 0}},
): Spec | undefined {
  const source = decodeText(input.path, input.text, faults);
  if (!source) return undefined;
  const tree = readTree(source, faults);
  if (!tree) {
    if (faults.none) {
      const at = {source, span: {start: 0, end: 1}};
      faults.add('missing-key', at, 'The pipeline is empty.', STAGES_HINT);
    }
    return undefined;
  }
  const top = asMap(tree, 'A pipeline', 'Write the keys name, use, params, stages, expect, plots.', faults);
  if (!top) return undefined;
  const parts = fields(top, TOP_KEYS, 'A pipeline', faults);
  const name = asText(parts.name?.value, '"name"', 'Give the pipeline a name, or leave "name" out.', faults);
  const uses = readUses(parts.use, faults);
  const {params, ofUsed} = readParams(parts.params, source, input, new Set(uses.map((use) => use.name)), faults);
  const resolver = new Resolver(params, faults);
  const folder = dirname(resolve(input.path));
  const own = readNodes(parts.stages, top, folder, resolver, faults);
  const read = (file: UsedFile, next: Reading) => draftSpec(file, faults, next);
  const used = uses.flatMap((use) => {
    const user = {path: input.path, reading, given: ofUsed.get(use.name) ?? [], resolver, own, read};
    return nodesOfUse(use, user, faults);
  });
  return {
    name: name?.text ?? basename(input.path, extname(input.path)),
    source,
    folder,
    params: resolver.values,
    nodes: new Map([...used.flatMap(({nodes}) => [...nodes]), ...own]),
    unread: used.flatMap(({unread}) => unread),
    expectations: readExpectations(parts.expect, resolver, faults),
    plots: readPlots(parts.plots, own, resolver, faults),
  };
}

function readParams(
  entry: Entry | undefined,
  source: Place['source'],
  overrides: Overrides,
  used: ReadonlySet<string>,
  faults: Faults,
): ReturnType<typeof overrideParams> {
  const none: MapTree = {kind: 'map', entries: new Map(), at: {source, span: {start: 0, end: 1}}};
  const params = asMap(entry?.value, '"params"', 'Write {NAME: VALUE, …}.', faults) ?? none;
  for (const {name, keyAt} of params.entries.values()) {
    if (isVariableName(name)) continue;
    faults.add('bad-name', keyAt, `"${name}" cannot be the name of a param.`, VARIABLE_HINT);
  }
  return overrideParams(params, overrides, used, faults);
}

function readNodes(
  entry: Entry | undefined,
  top: MapTree,
  folder: string,
  resolver: Resolver,
  faults: Faults,
): Spec['nodes'] {
  const stages = asMap(entry?.value, '"stages"', STAGES_HINT, faults);
  if (!entry || (stages && stages.entries.size === 0)) {
    const at = entry?.keyAt ?? {source: top.at.source, span: {start: top.at.span.start, end: top.at.span.start + 1}};
    // one that is misspelt is told of already
    const near = [...top.entries.keys()].some(
      (name) => name !== 'stages' && nearestName(name, ['stages']) !== undefined,
    );
    if (!near) faults.add('missing-key', at, 'The pipeline has no stages.', STAGES_HINT);
  }
  const file = {params: resolver.values, folder};
  return new Map(stages && [...stages.entries].map(([name, node]) => [name, readNode(node, file, resolver, faults)]));
}

function readExpectations(entry: Entry | undefined, resolver: Resolver, faults: Faults): readonly ExpectationSpec[] {
  const list = asList(entry?.value, '"expect"', `Write a list. ${EXPECTATION_HINT}`, faults);
  return (list?.items ?? []).flatMap((item) => readExpectation(item, resolver, faults) ?? []);
}

function readExpectation(item: Tree, resolver: Resolver, faults: Faults): ExpectationSpec | undefined {
  const map = asMap(item, 'An expectation', EXPECTATION_HINT, faults);
  if (!map) return undefined;
  const parts = fields(map, EXPECTATION_KEYS, 'An expectation', faults);
  for (const key of ['of', 'that'] as const) {
    if (!parts[key]) faults.add('missing-key', map.at, `This expectation has no "${key}".`, EXPECTATION_HINT);
  }
  const of = parts.of && readReference(parts.of.value, '"of" of an expectation', EXPECTATION_HINT, faults);
  const that = parts.that && readCondition(parts.that, EXPECTATION_HINT, resolver, faults);
  const where = parts.where && readCondition(parts.where, EXPECTATION_HINT, resolver, faults);
  if (!of || !that || (parts.where && !where)) return undefined;
  return {of, that, where, at: map.at};
}
