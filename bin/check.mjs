// Everything that must be right before a change lands: types, style and the import ladder, dead code, tests.
// `--all` adds the slow tests.
import {spawnSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = (path) => join(root, 'node_modules', path);

const steps = [
  {name: 'types', command: [program('typescript/bin/tsc'), '-p', '.']},
  {name: 'style and import ladder', command: [program('@biomejs/biome/bin/biome'), 'check']},
  {name: 'dead code', command: [program('knip/bin/knip.js')]},
  {name: 'tests', command: [program('vitest/vitest.mjs'), 'run']},
];
if (process.argv.includes('--all')) {
  // what computes on `cpu` above, as every machine gives the same bytes there, on the native back end
  const files = [
    'test/stages',
    'test/merging',
    ...['resume', 'train.test', 'dropout'].map((file) => `test/training/${file}`),
  ];
  steps.push({
    name: 'stages, native',
    command: [program('vitest/vitest.mjs'), 'run', ...files],
    env: {BASIN_STAGES_ON: 'tensorflow'},
  });
}

const results = steps.map(({name, command, env}) => {
  process.stdout.write(`\n── ${name}\n`);
  const started = performance.now();
  const {status, signal} = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {...process.env, ...(process.argv.includes('--all') && {BASIN_ALL: '1'}), ...env},
  });
  if (signal === 'SIGINT') process.exit(130);
  return {name, passed: status === 0, seconds: (performance.now() - started) / 1000};
});

process.stdout.write('\n');
for (const {name, passed, seconds} of results) {
  process.stdout.write(`${passed ? 'passed' : 'FAILED'}  ${name.padEnd(24)} ${seconds.toFixed(1)} s\n`);
}
process.exitCode = results.every(({passed}) => passed) ? 0 : 1;
