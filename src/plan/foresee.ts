import {canonicalJson} from '../base/canonical-json.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import type {Json, JsonObject} from '../base/json.ts';
import {UserError} from '../base/user-error.ts';
import type {Binding, Graph, Instance} from '../graph/graph.ts';
import type {Stage} from '../stage/define-stage.ts';
import type {Foreseen, ForeseenInputs, Foresight} from '../stage/foresight.ts';
import {systemCode} from '../store/store-error.ts';
import type {PlannedInstance} from './verdict.ts';

/** What stages say before anything has run. */
export interface Foretold {
  /** By index of the instance. */
  readonly notes: ReadonlyMap<number, string>;
  /** Of instances that are not stored: one a node and message. */
  readonly warnings: readonly Diagnostic[];
}

/**
 * Asks the stages that foresee something, upstream first, and hands on what each knows of its outputs. An instance whose outside data
 * cannot be had says nothing.  Equal questions are asked once, so a sweep costs what its differing points do.
 *
 * @param wanted those to warn of; all unless given.
 */
export async function foresee(
  graph: Graph,
  planned: readonly PlannedInstance[],
  wanted?: ReadonlySet<number>,
): Promise<Foretold> {
  const places = new Map(graph.nodes.map(({name, at}) => [name, at]));
  const notes = new Map<number, string>();
  const warnings = new Map<string, Diagnostic>();
  const foreseen: Foresight['outputs'][] = [];
  const answers = new Map<Stage, Map<string, Promise<Foresight>>>();
  for (const {instance, located, verdict} of planned) {
    const {stage, node, index} = instance;
    if (!stage.foresee || !located) continue;
    const inputs = inputsOf(instance, foreseen);
    const {outputs, note, warning} = await askOnce(answers, stage, located, inputs);
    foreseen[index] = outputs;
    if (note !== undefined) notes.set(index, note);
    if (!warning || verdict === 'cached' || wanted?.has(index) === false) continue;
    const {message} = warning;
    const at = places.get(node);
    warnings.set(`${node}\n${message}`, {...warning, message: `"${node}": ${message}`, ...(at && {at})});
  }
  return {notes, warnings: [...warnings.values()]};
}

function inputsOf({stage, inputs}: Instance, foreseen: readonly Foresight['outputs'][]): ForeseenInputs {
  const knownOf = (index: number, artifact: string): Json | undefined => foreseen[index]?.[artifact];
  const all = (binding: Binding | undefined): readonly Foreseen[] => {
    if (!binding) return [];
    if (!binding.many) return [{axes: {}, known: knownOf(binding.from, binding.artifact)}];
    return binding.members.map(({axes, from, artifact}) => ({axes, known: knownOf(from, artifact)}));
  };
  return Object.fromEntries(Object.keys(stage.inputs).map((name) => [name, all(inputs[name])]));
}

function askOnce(
  answers: Map<Stage, Map<string, Promise<Foresight>>>,
  stage: Stage,
  params: JsonObject,
  inputs: ForeseenInputs,
): Promise<Foresight> {
  const ofStage = answers.get(stage) ?? new Map<string, Promise<Foresight>>();
  answers.set(stage, ofStage);
  const question = canonicalJson([
    params,
    Object.entries(inputs).map(([name, given]) => [name, given.map(({axes, known = null}) => [axes, known])]),
  ]);
  const answer = ofStage.get(question) ?? ask(stage, params, inputs);
  ofStage.set(question, answer);
  return answer;
}

/** What the stage would be refused for is a warning now; a file that cannot be read is told when it is needed. */
async function ask(stage: Stage, params: JsonObject, inputs: ForeseenInputs): Promise<Foresight> {
  try {
    return (await stage.foresee?.({params, inputs})) ?? {};
  } catch (error) {
    if (error instanceof UserError) {
      const {message, hint} = error;
      return {warning: {code: 'will-fail', message, ...(hint !== undefined && {hint})}};
    }
    if (error instanceof Error && systemCode(error) !== undefined) return {};
    throw error;
  }
}
