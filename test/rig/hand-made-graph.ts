import {z} from 'zod';
import type {Json, JsonObject} from '../../src/base/json.ts';
import type {Binding, Graph, Instance, InstanceId} from '../../src/graph/graph.ts';
import {defineStage, type Inputs, type Outputs, type Stage} from '../../src/stage/define-stage.ts';
import type {SourceResolver} from '../../src/stage/source.ts';

/** A stage that declares and never runs: enough for everything that plans. */
export function declaredStage(
  name: string,
  options: {
    readonly version?: number;
    readonly noop?: Readonly<Record<string, Json>>;
    readonly computes?: 'tensors' | 'plain';
    readonly inputs?: Inputs;
    readonly outputs?: Outputs;
    readonly sources?: Readonly<Record<string, SourceResolver>>;
  } = {},
): Stage {
  return defineStage({
    name,
    version: options.version ?? 1,
    doc: 'For tests.',
    params: z.looseObject({}),
    noop: options.noop ?? {},
    inputs: options.inputs ?? {},
    outputs: options.outputs ?? {weights: {kind: 'weights', doc: 'For tests.'}},
    computes: options.computes ?? 'plain',
    sources: options.sources ?? {},
    run: () => Promise.reject(new Error('a plan runs nothing')),
  });
}

export interface InstanceSketch {
  readonly id: string;
  readonly stage: Stage;
  readonly params?: JsonObject;
  /** `id.artifact`, or what is gathered: `[axes, id.artifact]`. */
  readonly inputs?: Readonly<Record<string, string | readonly (readonly [JsonObject, string])[]>>;
}

/** A checked graph from sketches in upstream-first order. */
export function graphOf(sketches: readonly InstanceSketch[], name = 'pipeline', folder = '/nowhere'): Graph {
  const indices = new Map(sketches.map(({id}, index) => [id, index]));
  const target = (text: string) => {
    const dot = text.lastIndexOf('.');
    const from = indices.get(text.slice(0, dot));
    if (from === undefined) throw new Error(`no instance ${text}`);
    return {from, artifact: text.slice(dot + 1)};
  };
  const bindingOf = (input: string | readonly (readonly [JsonObject, string])[]): Binding =>
    typeof input === 'string'
      ? {many: false, ...target(input)}
      : {
          many: true,
          over: Object.keys(input[0]?.[0] ?? {}),
          members: input.map(([axes, text]) => ({axes, ...target(text)})),
        };
  const instances = sketches.map(
    ({id, stage, params, inputs}, index): Instance => ({
      index,
      id: instanceId(id),
      node: id.replace(/\[.*/, ''),
      stage,
      axes: {},
      params: params ?? {},
      inputs: Object.fromEntries(Object.entries(inputs ?? {}).map(([key, input]) => [key, bindingOf(input)])),
      folder,
      retries: 0,
      timeOut: undefined,
      resources: {},
      mutex: undefined,
    }),
  );
  const takes = ({inputs}: Instance, index: number) =>
    Object.values(inputs).some((binding) =>
      binding.many ? binding.members.some(({from}) => from === index) : binding.from === index,
    );
  return {
    name,
    source: {name: 'pipeline.yaml', text: ''},
    folder,
    params: {},
    nodes: [],
    instances,
    consumers: instances.map(({index}) => instances.filter((other) => takes(other, index)).map((other) => other.index)),
    expectations: [],
    plots: [],
  };
}

const isInstanceId = (text: string): text is InstanceId => text !== '';
function instanceId(text: string): InstanceId {
  if (!isInstanceId(text)) throw new Error('an instance needs an id');
  return text;
}
