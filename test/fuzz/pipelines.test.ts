// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {diagnosticJson, formatDiagnostic} from '../../src/base/diagnostic.ts';
import {registry} from '../../src/cli/registry.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {STACK} from '../cli/basin.ts';
import {PLAIN, STUDY} from '../cli/study.ts';
import {drawsOf, mutateText} from './mutate.ts';

const pipelines = join(import.meta.dirname, '../../pipelines');
/** Every form that a sweep and what takes from one can have. */
const SWEEPS = `use: {base: {file: ./pipelines/quickstart.yaml, params: {keeps: [0.5]}}, again: ./pipelines/quickstart.yaml}
params: {seeds: {range: [0, 2, 1]}, data: {name: mnist, validation: {n: 10}}, rows: [{lr: 0.1, seed: 1}]}
stages:
  nets:
    uses: finetune
    in: {weights: base.pretrain-load.weights}
    with: {data: "\${data}", length: 3it, seed: "\${int(seed) + 10}"}
    sweep:
      axes: {seed: "\${seeds}"}
      zip: [{lr: [0.1, 0.2], batch: [8, 16]}]
      exclude: "\${rows}"
      include: [{lr: 0.2, clip: 1}, {seed: 9, lr: 0.3, batch: 4, length: 2ep}]
  best: {uses: select, in: {weights: {from: nets.weights, over: [lr, batch]}, scores: {from: nets.summary, over: [lr, batch]}}, with: {by: error}}
  levels: {uses: pretrain-load, in: {weights: {from: levels.weights, previous: labels}}, with: {source: upstream}, sweep: {labels: [2, 3]}}
  spread: {uses: summarize, in: {tables: {from: nets.summary, over: [seed]}}, with: {columns: [error]}}
`;
const corpus = [
  PLAIN,
  STUDY,
  SWEEPS,
  ...readdirSync(pipelines)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(pipelines, name), 'utf8')),
];

/** What a pipeline is made of, and what has broken readers of YAML. */
const TOKENS = [
  ...[
    '${',
    '}',
    '${alpha}',
    '${a + ',
    '"',
    "'",
    '{',
    '[',
    ']',
    ': ',
    '- ',
    '? ',
    '\t',
    '\n',
    '\r\n',
    '#',
    '|',
    '>-',
    ',',
  ],
  ...[
    '&a ',
    '*a',
    '<<: ',
    '<<: *a',
    '!!js/function ',
    '!!set ',
    '!x ',
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '\u0000',
    '\uFEFF',
    '\uD800',
  ],
  ...[
    '__proto__: ',
    'constructor: ',
    'toString',
    'hasOwnProperty: 1',
    'null',
    '~',
    'true',
    'yes',
    '.inf',
    '.nan',
    '-0',
    '0x',
    '1e999',
    '1e-400',
  ],
  ...[
    '9007199254740993',
    '-1',
    '0.1',
    '1_000',
    '12:30',
    '2001-01-01',
    '0o17',
    '""',
    '[]',
    '{}',
    'a: a: a',
    '\u2028',
    '\u202E',
    '😀',
  ],
  ...[
    'stages:',
    'params:',
    'expect:',
    'sweep:',
    'with:',
    'uses:',
    'in:',
    'from:',
    'over:',
    'as:',
    'axes:',
    'zip:',
    'include:',
    'exclude:',
    'previous:',
    'retries: ',
  ],
  ...[
    'linspace: [0, 1, 1e9]',
    'linspace: [0, 1, 25]',
    'range: [0, 1e9]',
    'logspace: [0, 400, 3]',
    '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]',
    '"${x}${x}${x}"',
  ],
];

const runs = process.env.BASIN_FUZZ ? Number(process.env.BASIN_FUZZ) : process.env.BASIN_ALL ? 100_000 : 1500;

/** Longest a file of a few kilobytes may take: what hangs takes for ever. */
const HANGS = 20_000;

test(`${runs} mutated pipelines are read or refused, without hang, stack trace or much memory`, {timeout: 0}, () => {
  const draw = drawsOf(20_261_125);
  let refused = 0;
  let largest = 0;
  for (let run = 0; run < runs; run++) {
    const text = mutateText(corpus[draw(corpus.length)] ?? '', corpus, TOKENS, draw);
    const before = performance.now();
    const read = (() => {
      try {
        return readPipeline({path: 'p.yaml', text}, registry);
      } catch (error) {
        throw new Error(`Run ${run} threw on ${JSON.stringify(text)}`, {cause: error});
      }
    })();
    if (performance.now() - before > HANGS) throw new Error(`Run ${run} took too long on ${JSON.stringify(text)}`);
    if (!read.ok) {
      refused++;
      if (read.error.length === 0) throw new Error(`Run ${run} refused without a fault: ${JSON.stringify(text)}`);
      for (const fault of read.error) {
        const told = formatDiagnostic(fault);
        const {line, column} = diagnosticJson(fault);
        if (STACK.test(`${fault.message}\n${fault.hint}`) || fault.message === '' || line === 0 || column === 0)
          throw new Error(`Run ${run} told ${told}\nof ${JSON.stringify(text)}`);
      }
    }
    if (run % 500 === 0) largest = Math.max(largest, process.memoryUsage().rss);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(refused).toBeGreaterThan(runs / 4);
  expect(refused).toBeLessThan(runs);
  expect(largest).toBeLessThan(2 ** 30);
});
