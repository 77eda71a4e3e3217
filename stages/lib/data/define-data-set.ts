import {z} from 'zod';
import {described} from '../../../src/base/described.ts';
import type {JsonObject} from '../../../src/base/json.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import {typedBy} from '../../../src/stage/schema-output.ts';
import {checkDeclaration} from '../check-declaration.ts';
import {checkedSettings} from '../user-code.ts';

/** The pictures of a split, and their classes. */
export interface SplitPictures {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Levels 0 to 255 of picture after picture, channel after channel, row after row. */
  readonly values: Uint8Array;
  /** Class of each picture, from 0. */
  readonly labels: ArrayLike<number>;
}

/** A data set in memory, pictures of one size. */
export interface LoadedPictures {
  /** Number of classes; labels lie below it. */
  readonly classes: number;
  readonly train: SplitPictures;
  readonly test: SplitPictures;
}

/** The files that were declared, and no others. */
export interface DataFiles {
  /** Their paths below the root, sorted. */
  readonly names: readonly string[];
  read(name: string): Promise<Uint8Array>;
}

/** A data set of the user's. */
export interface DataSetDeclaration<S extends z.ZodType> {
  readonly doc: string;
  /** A strict object of what `settings` may hold; its output is in the key, defaults filled in. */
  readonly settings: S;
  /** What it reads: files and whole folders, by their paths below the root. Their content is in the key. */
  files(settings: z.output<S>): readonly string[];
  load(files: DataFiles, settings: z.output<S>): LoadedPictures | Promise<LoadedPictures>;
}

/** A user's data set with its settings. */
export interface BoundDataSet {
  readonly files: readonly string[];
  load(files: DataFiles): LoadedPictures | Promise<LoadedPictures>;
}

/** A data set as basin sees it: the same declaration with its types forgotten. */
export interface DataSetDefinition {
  readonly kind: 'data set';
  /** What its schema gives for settings as they are written. @throws StageError when they are not right. */
  check(settings: JsonObject): JsonObject;
  /** Of settings that `check` gave, which its schema must not see again. @throws StageError when files are not right. */
  bind(settings: JsonObject): BoundDataSet;
}

/** Declares a data set in a file of its own: `export default defineDataSet({…})`. */
export function defineDataSet<S extends z.ZodType>(declaration: DataSetDeclaration<S>): DataSetDefinition {
  return {
    kind: 'data set',
    check(settings) {
      checkDeclaration(declaration, ['files', 'load']);
      return checkedSettings(declaration, settings);
    },
    bind(settings) {
      const own = typedBy<S>(settings);
      const declared = declaration.files(own);
      const files = z.array(z.string().min(1)).safeParse(declared);
      if (!files.success)
        throw new StageError(
          `its "files" must give a list of paths, and gives ${Array.isArray(declared) ? 'other things in it' : described(declared)}.`,
          'Give paths below the root, without waiting for anything.',
        );
      return {
        files: files.data,
        load: (read) => declaration.load(read, own),
      };
    },
  };
}

const definitionSchema = z.custom<DataSetDefinition>(
  (value) =>
    z.looseObject({kind: z.literal('data set'), check: z.function(), bind: z.function()}).safeParse(value).success,
);

/** Whether a file exports a data set by default. */
export const isDataSetDefinition = (exported: unknown): exported is DataSetDefinition =>
  definitionSchema.safeParse(exported).success;
