import {defineConfig} from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Native TensorFlow is loaded per process; forks keep one crash from taking the report with it.
    pool: 'forks',
    maxWorkers: 2,
    globalSetup: 'test/rig/set-up-back-end.ts',
    testTimeout: 60_000,
    reporters: ['default', ['json', {outputFile: 'test-results/vitest.json'}]],
  },
});
