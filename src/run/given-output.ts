import {basename} from 'node:path';
import {z} from 'zod';
import {ArtifactError} from '../artifact/artifact-error.ts';
import {isTableKind} from '../artifact/kinds.ts';
import {described, fieldOf} from '../base/described.ts';
import {isDigest} from '../base/digest.ts';
import {suggestion} from '../base/nearest.ts';
import {type OutputDeclaration, type OutputsByName, type Stage, StageError} from '../stage/define-stage.ts';

type Given = OutputsByName | null | undefined;

/**
 * What a stage gave as one of its outputs; nothing where it need not give it. The types of a user's stage may be lies, so it is looked at.
 *
 * @throws StageError when a user's stage gave nothing, or what is no value of the output's kind.
 */
export function givenOutput(
  stage: Stage,
  name: string,
  declaration: OutputDeclaration,
  outputs: Given,
): OutputsByName[string] {
  const value = isObject(outputs) && Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (value === undefined && declaration.when !== undefined && isObject(outputs)) return undefined;
  const file = fileOf(stage);
  if (file === undefined) {
    if (isObject(value)) return value;
    throw new Error(`Internal error: stage ${stage.name} gave no "${name}"`);
  }
  const hint = `Have its "run" return {${name}: ${formOf(declaration)}}.`;
  if (!isObject(outputs))
    throw new StageError(`The stage ${file} returned ${described(outputs)}, and no outputs.`, hint);
  if (value === undefined) throw new StageError(`The stage ${file} gave no "${name}".`, hint);
  const wrong = wrongPart(declaration, value);
  if (wrong === undefined) return value;
  const {part, is} = wrong;
  throw new StageError(`The stage ${file} gave ${described(is)} as ${part}its output "${name}".`, hint);
}

/** @throws StageError when a user's stage gave what it does not declare, which would be lost without a word. */
export function checkDeclared(stage: Stage, outputs: Given): void {
  const file = fileOf(stage);
  if (file === undefined || !isObject(outputs)) return;
  for (const name of Object.keys(outputs)) {
    if (Object.hasOwn(stage.outputs, name) || outputs[name] === undefined) continue;
    throw new StageError(
      `The stage ${file} gave "${name}", which is none of the outputs that it declares.`,
      suggestion(name, Object.keys(stage.outputs), 'outputs that it declares'),
    );
  }
}

/** What is wrong with an output, told of the file of the user's that gave it. */
export async function ofOutput<T>(
  stage: Stage,
  name: string,
  declaration: OutputDeclaration,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const file = fileOf(stage);
    if (file === undefined || !(error instanceof ArtifactError)) throw error;
    throw new StageError(
      `The stage ${file} gave an output "${name}" that cannot be stored. ${error.message}`,
      error.hint ?? `Have its "run" return {${name}: ${formOf(declaration)}}.`,
    );
  }
}

/** Of a stage with `runMany`: it gave a point that there is not, or that it had given, or ended before it had given all. */
export function wrongPoints(stage: Stage, gave: string): Error {
  const file = fileOf(stage);
  const message = `The "runMany" of ${file ?? stage.name} gave ${gave}.`;
  if (file === undefined) return new Error(`Internal error: ${message}`);
  return new StageError(message, 'Have it yield {index, outputs} once for each of its points, with an index from 0.');
}

const fileOf = ({origin}: Stage): string | undefined => (origin.from === 'file' ? basename(origin.path) : undefined);

const FORMS = {
  table: '[{…}, …]',
  file: '{path: …}',
  weights: '{model, preprocessor, tensors: [{name, shape, values}, …]}',
  mask: '{tensors: [{name, shape, bits}, …]}',
  passed: 'what it was handed',
} as const;

function formOf({kind, as, passes}: OutputDeclaration): string {
  if (passes !== undefined) return FORMS.passed;
  if (as === 'path') return FORMS.file;
  return FORMS[isTableKind(kind) ? 'table' : kind];
}

interface Wrong {
  /** Of the output, with a word that leads to it; empty where it is the whole of it. */
  readonly part: string;
  readonly is: unknown;
}

/** The first part of a value that is of another type than its kind has. */
function wrongPart({kind, as, passes}: OutputDeclaration, value: unknown): Wrong | undefined {
  if (passes !== undefined) {
    const digest = fieldOf(value, 'digest');
    return typeof digest === 'string' && isDigest(digest) ? undefined : {part: '', is: value};
  }
  if (kind === 'file' || as === 'path') {
    if (!isObject(value) || Array.isArray(value)) return {part: '', is: value};
    const path = fieldOf(value, 'path');
    return typeof path === 'string' && path !== '' ? undefined : {part: 'the path of ', is: path};
  }
  if (isTableKind(kind)) return wrongRow(value);
  if (!isObject(value) || Array.isArray(value)) return {part: '', is: value};
  return wrongTensors(value, kind);
}

function wrongRow(rows: unknown): Wrong | undefined {
  if (!Array.isArray(rows)) return {part: '', is: rows};
  for (const [index, row] of rows.entries())
    if (!isObject(row) || Array.isArray(row)) return {part: `row ${index} of `, is: row};
  return undefined;
}

const jsonMap = z.record(z.string(), z.json());

function wrongTensors(value: object, kind: 'weights' | 'mask'): Wrong | undefined {
  const part = (name: string): string => `"${name}" of `;
  for (const name of kind === 'weights' ? ['model', 'preprocessor'] : []) {
    const given = fieldOf(value, name);
    if (!jsonMap.safeParse(given).success) return {part: part(name), is: given};
  }
  const tensors = fieldOf(value, 'tensors');
  if (!Array.isArray(tensors)) return {part: part('tensors'), is: tensors};
  const values = kind === 'weights' ? 'values' : 'bits';
  for (const [index, tensor] of tensors.entries()) {
    const at = (name: string): string => `"${name}" of tensor ${index} of `;
    if (!isObject(tensor)) return {part: `tensor ${index} of `, is: tensor};
    const [name, shape, numbers] = [fieldOf(tensor, 'name'), fieldOf(tensor, 'shape'), fieldOf(tensor, values)];
    if (typeof name !== 'string') return {part: at('name'), is: name};
    if (!Array.isArray(shape)) return {part: at('shape'), is: shape};
    if (!(numbers instanceof (kind === 'weights' ? Float32Array : Uint8Array))) return {part: at(values), is: numbers};
  }
  return undefined;
}

const isObject = <T>(value: T): value is T & object => typeof value === 'object' && value !== null;
