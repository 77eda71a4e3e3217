import {existsSync} from 'node:fs';
import {createRequire, Module} from 'node:module';
import {join} from 'node:path';
import util from 'node:util';
import {StageError} from '../../../src/stage/define-stage.ts';
import type {Edition} from '../backend.ts';
import {ADDON_FILE, addonFolder} from './folder.ts';

const require = createRequire(import.meta.url);

/**
 * Loads `@tensorflow/tfjs-node-gpu` with the addon from the user's cache; it makes itself the back end "tensorflow" of
 * `@tensorflow/tfjs`. Environment variables that TensorFlow reads must be set before.
 *
 * @throws StageError when the addon is not there; Error of the dynamic loader when it cannot be used.
 */
export function loadAddon(edition: Edition): void {
  const addon = join(addonFolder(edition), ADDON_FILE);
  if (!existsSync(addon)) {
    throw new StageError(
      `The ${edition === 'cuda' ? 'cuda' : 'native'} back end is not set up on this machine.`,
      `Run \`basin setup${edition === 'cuda' ? ' --backend cuda' : ''}\`.`,
    );
  }
  // tfjs-node-gpu 4.22 calls these two; Node 24 has dropped the first, and the second is on its way out.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === undefined || value === null,
    isArray: Array.isArray,
  });
  // The package asks node-pre-gyp where its addon is, and expects it inside itself. A module of that name which answers
  // with our file stands in for the time of loading; `require.cache` may be added to, by Node's documentation.
  const packageEntry = require.resolve('@tensorflow/tfjs-node-gpu');
  const locator = createRequire(packageEntry).resolve('@mapbox/node-pre-gyp');
  const before = require.cache[locator];
  const answer = new Module(locator);
  answer.exports = {find: () => addon};
  answer.loaded = true;
  require.cache[locator] = answer;
  try {
    require(packageEntry);
  } finally {
    if (before) require.cache[locator] = before;
    else delete require.cache[locator];
  }
}
