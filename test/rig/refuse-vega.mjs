import {registerHooks} from 'node:module';

// Handed to Node by --import: whoever loads Vega or Vega-Lite ends.
registerHooks({
  resolve(specifier, context, next) {
    if (/^vega(-lite)?(\/|$)/.test(specifier)) throw new Error(`Vega is loaded by ${context.parentURL}`);
    return next(specifier, context);
  },
});
