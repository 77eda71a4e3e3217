import {UserError} from '../base/user-error.ts';

/** A value that cannot be an artifact, or a file that is not the artifact it should be. */
export class ArtifactError extends UserError {}
