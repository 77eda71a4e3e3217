import {resolve} from 'node:path';
import type {Tensor} from '@tensorflow/tfjs';
import {z} from 'zod';
import {described} from '../../../src/base/described.ts';
import type {JsonObject} from '../../../src/base/json.ts';
import {suggestion} from '../../../src/base/nearest.ts';
import {own} from '../../../src/base/own.ts';
import {UserError} from '../../../src/base/user-error.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {USER_MODULE} from '../../../src/stage/module-reference.ts';
import type {SourceResolver} from '../../../src/stage/source.ts';
import {findModule, openModule, type UserModule} from '../../../src/stage/user-module.ts';
import {fileNameOf, ofUser} from '../user-code.ts';
import {type BoundModel, isModelDefinition} from './define-model.ts';
import type {Model, ParameterShape} from './model.ts';

const size = (doc: string) => z.int().min(1).max(65_536).describe(doc);

/** A model of the user's, from a file: `{model: ./my-model.ts, …}`. */
export const userModelSchema = z.strictObject({
  model: z
    .string()
    .regex(USER_MODULE, {error: 'This is no file: a path starts with ./, ../ or /.', abort: true})
    .meta({format: 'path'})
    .describe('A TypeScript file that exports a model by default; the path starts at the pipeline file.'),
  labels: size('Number of classes.').default(10),
  image_size: size('Height and width of a picture, in pixels.').default(32),
  num_channels: size('Channels of a picture.').default(3),
  settings: z.record(z.string(), z.json()).describe('What the file declares as its settings.').default({}),
});

interface UserModelConfig extends Omit<z.output<typeof userModelSchema>, 'settings'> {
  readonly settings: JsonObject;
}

/** Whether a configuration is of a user's model and of no built-in one. */
export const isUserModel = ({model}: JsonObject): boolean => typeof model === 'string' && USER_MODULE.test(model);

/** Pins a user's model to its code: the reference stands in its place, and settings have their defaults. Others stay as they are. */
export const resolveModel: SourceResolver = async (value, {folder}) => {
  const parsed = userModelSchema.safeParse(value);
  if (!parsed.success) return {state: 'resolved', identity: value, located: value};
  const found = await findModule(resolve(folder, parsed.data.model));
  const {name, definition} = definitionIn(found);
  const settings = ofUser(name, () => definition.check(parsed.data.settings));
  const {config} = bind(found, {...parsed.data, settings});
  return {state: 'resolved', identity: config, located: config};
};

/** The user's model of a configuration that `resolveModel` gave, in which settings are what its schema gave. @throws StageError when its file is gone or another one. */
export async function loadUserModel(config: JsonObject): Promise<Model> {
  const parsed = userModelSchema.parse(config);
  return bind(await openModule(parsed.model), parsed);
}

function definitionIn({reference, exported}: UserModule) {
  const name = fileNameOf(reference);
  if (isModelDefinition(exported)) return {name, definition: exported};
  throw new StageError(
    `What ${name} exports by default was not made by defineModel.`,
    'Write export default defineModel({…}), with import {defineModel} from "lossbasin".',
  );
}

function bind(module: UserModule, {settings, labels, ...rest}: UserModelConfig): Model {
  const {name, definition} = definitionIn(module);
  const task = {settings, labels, imageSize: rest.image_size, channels: rest.num_channels};
  const bound = ofUser(name, () => definition.bind(task));
  const names = Object.keys(bound.parameters);
  return {
    config: {...rest, model: module.reference, labels, settings},
    parameters: parametersOf(bound),
    channels: rest.num_channels,
    imageSize: rest.image_size,
    labels,
    dropout: 0,
    file: name,
    forward: (tf, parameters, pictures) =>
      tf.tidy(() => {
        const parameter = (asked: string): Tensor => {
          const tensor = own(parameters, asked);
          if (tensor) return tensor;
          throw new UserError(`There is no parameter "${asked}".`, suggestion(asked, names, 'parameters'));
        };
        const logits = ofUser(name, () => bound.forward(tf, parameter, pictures));
        const expected = [pictures.shape[0], labels];
        const gives = logits instanceof tf.Tensor ? tensorInWords(logits) : described(logits);
        if (gives === `a tensor of shape [${expected}]`) return logits.as2D(pictures.shape[0], labels);
        throw new StageError(
          `The forward function of ${name} gives ${gives}.`,
          `It must give logits of shape [${expected}] and type float32: a row a picture, a column a class.`,
        );
      }),
  };
}

const tensorInWords = ({shape, dtype}: Tensor): string =>
  `a tensor of shape [${shape}]${dtype === 'float32' ? '' : ` of type ${dtype}`}`;

const parametersOf = ({parameters}: BoundModel): readonly ParameterShape[] =>
  Object.entries(parameters)
    .map(([name, {scale, ...rest}]): ParameterShape => ({name, ...rest, ...(scale !== undefined && {scale})}))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
