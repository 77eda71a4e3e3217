// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {PLAIN, STUDY} from '../cli/study.ts';

const pipelines = join(import.meta.dirname, '../../pipelines');

/** Every form that a sweep and what takes from one can have. */
const SWEEPS = `use: {base: {file: ./quickstart.yaml, params: {keeps: [0.5]}}, again: ./quickstart.yaml}
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
/** Programs, files that are used, choices and claims: what the pipelines that come with basin have little of. */
const PROGRAMS = `use: {used: ./used.yaml, other: {file: ./used.yaml, params: {hidden: [8]}}}
params: {version: 2.10, n: 0x1F, ends: [0, 1], span: {logspace: [1.0e-300, 1.0e+300, 5]}}
stages:
  make: {run: [sh, make.sh, "\${n}", "\${version}", "\${x + n}", "\${out.text}"], files: [make.sh], out: {text: {kind: file, extension: txt}}, sweep: {x: {linspace: "\${ends + [3]}"}}}
  read: {run: [cat, "\${in.text}"], in: {text: make.text}, env: {A: 1e-4, B: }, timeout: 90s, retries: 2, resources: {gpu: 0.5, memory: 8GB}, mutex: disk}
  sums: {run: [p, "\${in.t}", "\${out.s}"], in: {t: {from: used.scores.summary, over: [seed]}}, out: {s: {kind: summary, columns: {loss: float64}}}}
  best: {uses: select, in: {weights: used.nets.weights, scores: used.scores.summary}, with: {by: error, split: validation}}
expect: [{of: sums.s, where: "loss > 0", that: "loss < 2.0 * loss + 1.0"}]
plots: [{name: p, data: {from: sums.s}, mark: line, encoding: {x: {field: loss}}}]
`;
const USED = `params: {hidden: [8, 16], data: {name: mnist, validation: {n: 10}}}
stages:
  nets: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: "\${hidden}"}, seed: "\${seed}"}, sweep: {seed: [9007199254740990, 9007199254740991]}}
  scores: {uses: evaluate, in: {weights: nets.weights}, with: {data: "\${data}", split: validation}}
`;
const PARAMS = `version: 3.10
alphas: {range: [0, 1, 0.25]}
data: {name: mnist, limit: {train: 100}}
used: {hidden: [4]}
ends: [-1.7e+308, 1.7e+308]
`;

/** What is changed: pipelines, files that they use, files of params, and overrides. */
export const SEEDS = {
  pipelines: [
    PLAIN,
    STUDY,
    SWEEPS,
    PROGRAMS,
    ...readdirSync(pipelines)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => readFileSync(join(pipelines, name), 'utf8')),
  ],
  used: [USED, STUDY, ''],
  params: [PARAMS, 'keeps: [0.1]\n', 'seeds: {linspace: [0, 1, 3]}\n', ''],
  sets: [
    'alphas=[0, 1]',
    'alphas.linspace=[0, 1, 49]',
    'data.limit.test=500',
    'data={name: mnist, validation: {n: 5}}',
    'used.hidden=[4]',
    'used.data.validation.n=3',
    'n=0xE000000000000001',
    'version=1e-400',
    'ends=[0, 1e308]',
    'seeds={range: [0, 1e9, 1]}',
    '__proto__.x=1',
    'a..b=1',
    '=',
  ],
};

/** What a pipeline is made of, and what has broken readers of YAML. */
export const TOKENS = [
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
  ...[
    '1.0e+308',
    '-1.7e+308',
    '1.0e-308',
    '5e-324',
    '9007199254740991',
    '9007199254740993.0',
    '0xE000000000000001',
    '0x1F',
    '2.10',
    'linspace: [-1.7e+308, 1.7e+308, 5]',
    '{logspace: [1.0e-308, 1.0e+308, 3]}',
    '{linspace: [-1.7e+308, 1.7e+308, 5]}',
    '{range: [0, 1.0e+308, 1.0e-300]}',
    '[9007199254740991, 1.0e+308]',
    'logspace: [1.0e-308, 1.0e+308, 3]',
    'range: [-1.7e+308, 1.7e+308, 1.0e+307]',
    'range: [0, 1.0e+308, 1.0e-300]',
    'range: [9007199254740989, 9007199254740991, 1]',
  ],
  ...[
    'run: [',
    'files:',
    'env:',
    'out:',
    'use: ',
    './used.yaml',
    'file: ',
    'params: {',
    'timeout: ',
    'resources: ',
    'mutex: ',
    'kind: ',
    'columns: ',
    'split: test',
    'validation: {n: 1}',
    'where: ',
    'that: ',
    'plots: ',
  ],
  ...[
    '${in.x}',
    '${out.text}',
    '$${',
    '${seed + 1}',
    '${1e308 * 10.0}',
    '${9007199254740993}',
    '${int("9007199254740993")}',
    '${data.validation}',
    '${[1, 2].map(x, x)}',
    '${{"a": 1}}',
    '${"\\ud800"}',
    '${0.0 / 0.0}',
  ],
];
