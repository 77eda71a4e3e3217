import type {Tensor, Tensor4D} from '@tensorflow/tfjs';
import {z} from 'zod';
import {described} from '../../../src/base/described.ts';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {typedBy} from '../../../src/stage/schema-output.ts';
import type {Tf} from '../../tensor/library.ts';
import {checkDeclaration} from '../check-declaration.ts';
import {schemaFaults} from '../schema-faults.ts';
import {checkedSettings} from '../user-code.ts';
import {sizeOf} from './initialise.ts';

/** What a model is made for. */
export interface ModelTask<Settings> {
  readonly settings: Settings;
  /** Number of classes. */
  readonly labels: number;
  /** Height and width of a picture, in pixels. */
  readonly imageSize: number;
  readonly channels: number;
}

/** All of them are one vector in training, whose length is an int32. */
const LARGEST = 2 ** 31 - 1;

const parameterSchema = z.strictObject({
  shape: z.array(z.int().min(1)),
  init: z.enum(['normal', 'uniform', 'unit', 'zeros', 'ones']),
  scale: z.number().min(0).optional(),
  prunable: z.boolean().default(false),
  head: z.boolean().default(false),
});
const parametersSchema = z
  .record(
    z.string().regex(/^[\w.-]{1,200}$/, 'a name has letters, digits, dots, dashes and underscores'),
    parameterSchema,
  )
  .refine((parameters) => Object.keys(parameters).length > 0, 'it declares no parameter')
  .superRefine((parameters, context) => {
    let size = 0;
    for (const [name, {shape}] of Object.entries(parameters)) {
      size += sizeOf(shape);
      if (size <= LARGEST) continue;
      const message = `with this shape the parameters have ${size} numbers, and a network has at most ${LARGEST}`;
      context.addIssue({code: 'custom', path: [name, 'shape'], message});
      return;
    }
  });

/**
 * A parameter of a model: its shape, and how random weights start: `normal` with deviation `scale` (0.02), `uniform` between -scale and
 * scale, `unit` between 0 and 1. `prunable`: pruning may take weights of it; `head`: it belongs to the
 * classifier, and is made anew for other classes. Neither unless given.
 */
export type ParameterDeclaration = z.input<typeof parameterSchema>;

/** A model of the user's. */
export interface ModelDeclaration<S extends z.ZodType> {
  readonly doc: string;
  /** A strict object of what `settings` may hold; its output is in the key, defaults filled in. */
  readonly settings: S;
  /** Every parameter by its name. */
  parameters(task: ModelTask<z.output<S>>): Readonly<Record<string, ParameterDeclaration>>;
  /** Pictures [B, channels, imageSize, imageSize], preprocessed → logits [B, labels]. A pure function of tensors that reads no value back. */
  forward(tf: Tf, parameter: (name: string) => Tensor, pictures: Tensor4D, task: ModelTask<z.output<S>>): Tensor;
}

/** A user's model made for a task. */
export interface BoundModel {
  readonly parameters: z.output<typeof parametersSchema>;
  forward(tf: Tf, parameter: (name: string) => Tensor, pictures: Tensor4D): Tensor;
}

/** A model as basin sees it: the same declaration with its types forgotten. */
export interface ModelDefinition {
  readonly kind: 'model';
  /** What its schema gives for settings as they are written. @throws StageError when they are not right. */
  check(settings: JsonObject): JsonObject;
  /** Of settings that `check` gave, which its schema must not see again. @throws StageError when parameters are not right. */
  bind(task: ModelTask<JsonObject>): BoundModel;
}

/** Declares a model in a file of its own: `export default defineModel({…})`. */
export function defineModel<S extends z.ZodType>(declaration: ModelDeclaration<S>): ModelDefinition {
  return {
    kind: 'model',
    check(settings) {
      checkDeclaration(declaration, ['parameters', 'forward']);
      return checkedSettings(declaration, settings);
    },
    bind(task) {
      const own = {...task, settings: typedBy<S>(task.settings)};
      const parameters = checkedParameters(declaration.parameters(own));
      return {
        parameters,
        forward: (tf, parameter, pictures) => declaration.forward(tf, parameter, pictures, own),
      };
    },
  };
}

function checkedParameters(given: unknown): z.output<typeof parametersSchema> {
  const hint = 'Each is {shape, init, scale?, prunable?, head?} under its name.';
  if (typeof given !== 'object' || given === null || Array.isArray(given) || given instanceof Promise)
    throw new StageError(`its "parameters" must give a map of parameters, and gives ${described(given)}.`, hint);
  if (Object.hasOwn(given, '__proto__')) throw new StageError('no parameter can have the name "__proto__".', hint);
  const parameters = parametersSchema.safeParse(given);
  if (parameters.success) return parameters.data;
  throw new StageError(`its parameters are not right: ${schemaFaults(parameters.error)}`, hint);
}

const definitionSchema = z.custom<ModelDefinition>(
  (value) =>
    z.looseObject({kind: z.literal('model'), check: z.function(), bind: z.function()}).safeParse(value).success,
);

/** What a file exports by default, where that is a model. */
export const isModelDefinition = (exported: unknown): exported is ModelDefinition =>
  definitionSchema.safeParse(exported).success;
