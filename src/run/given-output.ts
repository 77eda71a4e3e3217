import {type ArtifactKind, type ArtifactValues, isTableKind} from '../artifact/kinds.ts';
import {type OutputDeclaration, type OutputsByName, type Stage, StageError} from '../stage/define-stage.ts';

/**
 * What a stage gave as one of its outputs; nothing where it need not give it. The types of a user's stage may be lies, so it is looked at.
 *
 * @throws StageError when a user's stage gave nothing, or what is no value of any kind.
 */
export function givenOutput(
  stage: Stage,
  name: string,
  declaration: OutputDeclaration,
  outputs: OutputsByName | null | undefined,
): OutputsByName[string] {
  const value = isObject(outputs) && Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  if (isObject(value)) return value;
  if (value === undefined && declaration.when !== undefined && isObject(outputs)) return undefined;
  if (stage.origin.from !== 'file') throw new Error(`Internal error: stage ${stage.name} gave no "${name}"`);
  const gave = isObject(outputs)
    ? value === undefined
      ? `gave no "${name}"`
      : `gave ${shown(value)} as its output "${name}"`
    : `returned ${shown(outputs)}, and no outputs`;
  throw new StageError(
    `The stage "${stage.name}" ${gave}.`,
    `Have its "run" return {${name}: ${VALUES[isTableKind(declaration.kind) ? 'table' : declaration.kind]}}.`,
  );
}

const VALUES = {
  table: '[{…}, …]',
  file: '{path: …}',
  weights: '{model, preprocessor, tensors}',
  mask: '{tensors}',
} as const;

const isObject = <T>(value: T): value is T & object => typeof value === 'object' && value !== null;

const shown = (value: ArtifactValues[ArtifactKind] | OutputsByName | null | undefined | object): string =>
  value === undefined ? 'nothing' : value === null ? 'null' : `a ${typeof value}`;
