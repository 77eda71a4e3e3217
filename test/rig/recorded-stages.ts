import {z} from 'zod';
import {defineStage, type Registry, StageError} from '../../src/stage/define-stage.ts';
import {workOf} from './pipeline-model.ts';

/** What every stage below was given, one text for equal work, in the order in which it ran. */
export const executed: string[] = [];

const SUMMARY = {kind: 'summary', doc: 'A number.', columns: {value: 'float64'}} as const;
const INPUT = {kind: 'summary', doc: 'A number.'} as const;
const rowsSchema = z.array(z.looseObject({value: z.number()}));
const first = (rows: unknown): number => rowsSchema.parse(rows ?? [{value: 0}])[0]?.value ?? 0;

let throws = 0;
/** From 1 to 3, and rarely the same as last time. */
const nextThrow = (): number => 1 + ((throws++ * 5 + Math.floor(throws / 7)) % 3);

function atMost(limit: number, value: number): number {
  if (value > limit) throw new StageError(`${value} is more than ${limit}.`);
  return value;
}

/** The stages of `pipeline-model.ts`, each of which notes what it is given. */
export const recordedStages: Registry = new Map(
  [
    recording('number', z.strictObject({value: z.number()}), {}, ({value}) => value),
    recording('dice', z.strictObject({seed: z.number()}), {}, nextThrow),
    recording('at-most', z.strictObject({limit: z.number()}), {a: INPUT}, ({limit}, {a}) => atMost(limit, first(a))),
    recording('mod', z.strictObject({by: z.number()}), {a: INPUT}, ({by}, {a}) => first(a) % by),
    recording('add', z.strictObject({}), {a: INPUT, b: INPUT}, (_, {a, b}) => first(a) + first(b)),
    recording('more', z.strictObject({by: z.number()}), {a: {...INPUT, optional: true}}, ({by}, {a}) => by + first(a)),
    recording('sum', z.strictObject({}), {points: {...INPUT, many: {over: ['a']}}}, (_, {points}) =>
      rowsSchema.parse(points).reduce((sum, {value}) => sum + value, 0),
    ),
  ].map((stage) => [stage.name, stage]),
);

function recording<P extends z.ZodType<object>, I extends Parameters<typeof defineStage>[0]['inputs']>(
  name: string,
  params: P,
  inputs: I,
  compute: (params: z.output<P>, inputs: Readonly<Record<string, unknown>>) => number,
) {
  return defineStage({
    name,
    version: 1,
    doc: 'For tests.',
    params,
    inputs,
    outputs: {summary: SUMMARY},
    computes: 'plain',
    async run(work) {
      executed.push(workOf(name, work.params, work.inputs));
      return {summary: [{value: compute(work.params, work.inputs)}]};
    },
  });
}
