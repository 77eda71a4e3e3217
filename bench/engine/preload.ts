import {registerHooks} from 'node:module';

/*
 * Given to Node by --import: the command line and its workers then know the trivial stages in place of the built-in ones, and are
 * the real ones in everything else.
 */
const BUILT_IN = new URL('../../src/cli/registry.ts', import.meta.url).href;
const TRIVIAL = new URL('./trivial-stages.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) => {
    const found = next(specifier, context);
    return found.url === BUILT_IN ? {...found, url: TRIVIAL} : found;
  },
});
