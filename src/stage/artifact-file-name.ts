import type {OutputDeclaration} from './define-stage.ts';

/** The name of an artifact's file, for a program or a person: its own, with what tells its content. */
export function artifactFileName(
  name: string,
  {extension, kind}: Pick<OutputDeclaration, 'extension' | 'kind'>,
): string {
  const ending = extension ?? (kind === 'file' ? undefined : 'arrow');
  return ending === undefined ? name : `${name}.${ending}`;
}
