import {UserError} from '../../../src/base/user-error.ts';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Model} from './model.ts';

const REACHES_NO_PARAMETER = /^Cannot compute gradient of y=f\(x\)/;

/** A gradient by a model's parameters. @throws StageError that names the file, where that is a user's model and there is no gradient. */
export function throughModel<T>({file}: Model, gradient: () => T): T {
  try {
    return gradient();
  } catch (error) {
    if (file === undefined || error instanceof UserError || !(error instanceof Error)) throw error;
    if (REACHES_NO_PARAMETER.test(error.message))
      throw new StageError(
        `The logits that the forward function of ${file} gives do not come from its parameters, so nothing can be trained.`,
        'Have it compute them from what parameter(name) gives, anew at each call.',
        {cause: error},
      );
    throw new StageError(
      `There is no gradient through the forward function of ${file}: ${error.message}`,
      'All that it does between a parameter and the logits must have a gradient in TensorFlow.js.',
      {cause: error},
    );
  }
}
