import {expect, test} from 'vitest';
import {z} from 'zod';
import {defineStage} from '../../src/stage/define-stage.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {faultsOf} from '../rig/read-text.ts';

// Each text is what the user sees, whole: file, line, column, code, sentence, source line, caret, remedy.

const NUMBER = 'stages:\n  n: {uses: number, with: {value: 4}}\n';

/** Like platon-prune: exactly one of two parameters, both giving the same. */
const prune = defineStage({
  name: 'prune',
  version: 1,
  doc: 'Takes exactly one of keep and sparsity.',
  params: z
    .union([
      z.strictObject({lr: z.number(), keep: z.number().gt(0).lte(1).describe('Fraction of the weights kept.')}),
      z.strictObject({lr: z.number(), sparsity: z.number().min(0).lt(1)}),
    ])
    .transform((given) => ({lr: given.lr, keep: 'keep' in given ? given.keep : 1 - given.sparsity})),
  inputs: {},
  outputs: {mask: {kind: 'mask', doc: 'The mask.'}},
  computes: 'plain',
  async run() {
    return {mask: {tensors: []}};
  },
});
const withPrune = new Map([...countingStages, ['prune', prune]]);

test('an unknown stage suggests the nearest', () => {
  expect(faultsOf('stages:\n  n: {uses: numbr, with: {value: 4}}\n')).toBe(
    `p.yaml:2:13 unknown-stage
There is no stage "numbr".
    n: {uses: numbr, with: {value: 4}}
              ^^^^^
Did you mean "number"?`,
  );
});

test('a misspelt parameter is marked at its key, and does not also count as missing', () => {
  expect(faultsOf('stages:\n  n:\n    uses: number\n    with:\n      vlaue: 4 # four\n')).toBe(
    `p.yaml:5:7 unknown-parameter
The stage "number" has no parameter "vlaue".
        vlaue: 4 # four
        ^^^^^
Did you mean "value"?`,
  );
});

test('a missing parameter is marked at "with", or at the node that has none', () => {
  expect(faultsOf('stages:\n  n: {uses: number, with: {}}\n  m: {uses: number}\n')).toBe(
    `p.yaml:2:21 missing-parameter
The node "n" lacks the parameter "value" of "number".
    n: {uses: number, with: {}}
                      ^^^^
value: The number to give.

p.yaml:3:3 missing-parameter
The node "m" lacks the parameter "value" of "number".
    m: {uses: number}
    ^
value: The number to give.`,
  );
});

test('a cycle names its nodes in the order in which artifacts flow', () => {
  const text = `${NUMBER}  a: {uses: add, in: {a: c.summary, b: n.summary}}
  b: {uses: mod, in: {a: a.summary}, with: {by: 3}}
  c: {uses: mod, in: {a: b.summary}, with: {by: 0}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:3:26 cycle
These nodes wait for each other: a → b → c → a.
    a: {uses: add, in: {a: c.summary, b: n.summary}}
                           ^^^^^^^^^
Take "a" of "a" from a node that comes earlier.

p.yaml:5:49 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is 0.
    c: {uses: mod, in: {a: b.summary}, with: {by: 0}}
                                                  ^
by: The divisor.`,
  );
});

test('of two cycles the shortest is named first, and a node that takes from itself is one', () => {
  const text = `stages:
  a: {uses: mod, in: {a: d.summary}, with: {by: 2}}
  b: {uses: mod, in: {a: a.summary}, with: {by: 2}}
  c: {uses: add, in: {a: b.summary, b: d.summary}}
  d: {uses: add, in: {a: c.summary, b: d.summary}}
`;
  expect(faultsOf(text).split('\n\n')[0]).toBe(
    `p.yaml:5:40 cycle
"d" takes an artifact of its own: d → d.
    d: {uses: add, in: {a: c.summary, b: d.summary}}
                                         ^^^^^^^^^
Take "b" of "d" from a node that comes earlier.`,
  );
});

test('a missing input says what could be given', () => {
  expect(faultsOf(`${NUMBER}  m: {uses: mod, with: {by: 3}}\n`)).toBe(
    `p.yaml:3:3 missing-input
The node "m" lacks its input "a", of kind summary.
    m: {uses: mod, with: {by: 3}}
    ^
Write in: {a: n.summary}.`,
  );
});

test('an artifact of the wrong kind is marked where it is named', () => {
  const text = `${NUMBER}  s: {uses: scale, in: {a: n.summary}, with: {alpha: 0}}
  m: {uses: mod, in: {a: s.points}, with: {by: 3}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:4:26 wrong-kind
The input "a" takes summary, but "s.points" is points.
    m: {uses: mod, in: {a: s.points}, with: {by: 3}}
                           ^^^^^^^^
"s" gives nothing of kind summary.`,
  );
});

test('unknown nodes, artifacts and inputs are each marked, all at once', () => {
  const text = `${NUMBER}  a: {uses: add, in: {a: nn.summary, b: n.sumary, c: n.summary}}\n`;
  expect(faultsOf(text)).toBe(
    `p.yaml:3:26 unknown-node
There is no node "nn".
    a: {uses: add, in: {a: nn.summary, b: n.sumary, c: n.summary}}
                           ^^^^^^^^^^
Did you mean "n"?

p.yaml:3:41 unknown-artifact
The node "n" has no artifact "sumary".
    a: {uses: add, in: {a: nn.summary, b: n.sumary, c: n.summary}}
                                          ^^^^^^^^
Did you mean "summary"?

p.yaml:3:51 unknown-input
The stage "add" has no input "c".
    a: {uses: add, in: {a: nn.summary, b: n.sumary, c: n.summary}}
                                                    ^
Did you mean "a"?`,
  );
});

test('an alpha out of range is marked where it stands in the list', () => {
  expect(faultsOf(`${NUMBER}  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: [0, 0.5, 1.5]}}\n`)).toBe(
    `p.yaml:3:64 bad-parameter
"alpha" of "scale" must be a number from 0 to 1, but is 1.5.
    s: {uses: scale, in: {a: n.summary}, sweep: {alpha: [0, 0.5, 1.5]}}
                                                                 ^^^
alpha: Where between nothing and all.`,
  );
});

test('a swept value from a param is marked in params, and a computed one at its formula, once', () => {
  const text = `params:
  alphas: [0, 2]
  more: {linspace: [0, 4, 5]}
stages:
  n: {uses: number, with: {value: 4}}
  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: "\${alphas}"}}
  t: {uses: scale, in: {a: n.summary}, sweep: {alpha: "\${more}"}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:2:15 bad-parameter
"alpha" of "scale" must be a number from 0 to 1, but is 2.
    alphas: [0, 2]
                ^
alpha: Where between nothing and all.

p.yaml:3:20 bad-parameter
"alpha" of "scale" must be a number from 0 to 1, but is 2.
    more: {linspace: [0, 4, 5]}
                     ^^^^^^^^^
alpha: Where between nothing and all.`,
  );
});

test('what came by --set is marked in --set', () => {
  const text = `params: {alphas: [0, 1]}\n${NUMBER}  s: {uses: scale, in: {a: n.summary}, sweep: {alpha: "\${alphas}"}}\n`;
  expect(faultsOf(text, {set: ['alphas=[0, 1.5]']})).toBe(
    `--set:1:12 bad-parameter
"alpha" of "scale" must be a number from 0 to 1, but is 1.5.
  alphas=[0, 1.5]
             ^^^
alpha: Where between nothing and all.`,
  );
});

test('keep 0 and keep 1.5 are out of range', () => {
  const text = `stages:
  a: {uses: prune, with: {lr: 0.1, keep: 0}}
  b: {uses: prune, with: {lr: 0.1, keep: 1.5}}
`;
  expect(faultsOf(text, {}, withPrune)).toBe(
    `p.yaml:2:42 bad-parameter
"keep" of "prune" must be a number above 0 and at most 1, but is 0.
    a: {uses: prune, with: {lr: 0.1, keep: 0}}
                                           ^
keep: Fraction of the weights kept.

p.yaml:3:42 bad-parameter
"keep" of "prune" must be a number above 0 and at most 1, but is 1.5.
    b: {uses: prune, with: {lr: 0.1, keep: 1.5}}
                                           ^^^
keep: Fraction of the weights kept.`,
  );
});

test('of parameters that exclude each other one must be given, and only one', () => {
  const text = `stages:
  a: {uses: prune, with: {lr: 0.1, keep: 0.5, sparsity: 0.5}}
  b: {uses: prune, with: {lr: 0.1}}
  c: {uses: prune, with: {lr: 0.1, kep: 0.5}}
`;
  expect(faultsOf(text, {}, withPrune)).toBe(
    `p.yaml:2:47 bad-parameter
The parameters "sparsity" and "keep" exclude each other.
    a: {uses: prune, with: {lr: 0.1, keep: 0.5, sparsity: 0.5}}
                                                ^^^^^^^^
Give exactly one of them.

p.yaml:3:20 missing-parameter
The node "b" must give one of the parameters "keep" and "sparsity" of "prune".
    b: {uses: prune, with: {lr: 0.1}}
                     ^^^^
Give exactly one, under "with" or as an axis.

p.yaml:4:36 unknown-parameter
The stage "prune" has no parameter "kep".
    c: {uses: prune, with: {lr: 0.1, kep: 0.5}}
                                     ^^^
Did you mean "keep"?`,
  );
});

test('an axis that changes nothing is an error', () => {
  const text = `${NUMBER}  s: {uses: scale, in: {a: n.summary}, sweep: {alhpa: [0, 1]}, with: {alpha: 1}}
  m: {uses: mod, in: {a: n.summary}, with: {by: 3}, sweep: {by: [2, 3]}}
  k: {uses: number, sweep: {vaule: [1, 2]}, with: {}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:3:48 unused-axis
The axis "alhpa" of "s" changes nothing: no parameter and no expression uses it.
    s: {uses: scale, in: {a: n.summary}, sweep: {alhpa: [0, 1]}, with: {alpha: 1}}
                                                 ^^^^^
Use it in an expression, "\${alhpa}", or remove it.

p.yaml:4:61 unused-axis
The axis "by" of "m" changes nothing: "with" gives "by" itself.
    m: {uses: mod, in: {a: n.summary}, with: {by: 3}, sweep: {by: [2, 3]}}
                                                              ^^
Remove "by" from "with", or remove the axis.

p.yaml:5:29 unused-axis
The axis "vaule" of "k" changes nothing: no parameter and no expression uses it.
    k: {uses: number, sweep: {vaule: [1, 2]}, with: {}}
                              ^^^^^
Did you mean "value"?`,
  );
});

test('an axis cannot have the name of a param', () => {
  expect(faultsOf('params: {value: 1}\nstages:\n  n: {uses: number, sweep: {value: [1, 2]}}\n')).toBe(
    `p.yaml:3:29 axis-shadows-param
The axis "value" has the name of a param, so "\${value}" would have two meanings.
    n: {uses: number, sweep: {value: [1, 2]}}
                              ^^^^^
Rename the param.`,
  );
});

test('YAML that does not parse shows where', () => {
  expect(faultsOf('stages:\n  n: {uses: number, with: {value: 4}\n  m: 3\n')).toBe(
    `p.yaml:3:3 yaml-syntax
This is not YAML: Flow map in block collection must be sufficiently indented and end with a }.
    m: 3
    ^
Look for a bracket that is not closed, or a line that is not indented like its neighbours.`,
  );
});

test('a duplicate key says where the first one is', () => {
  expect(faultsOf(`${NUMBER}  m: {uses: number, with: {value: 1}}\n  n: {uses: number, with: {value: 2}}\n`)).toBe(
    `p.yaml:4:3 duplicate-key
The key "n" is given twice.
    n: {uses: number, with: {value: 2}}
    ^
It was first given in line 2; remove one.`,
  );
});

test('a fault in an expression is marked inside it', () => {
  const text = `params: {base: 6500}
stages:
  a: {uses: number, with: {value: "\${base + * 2}"}}
  b: {uses: number, with: {value: "\${base + bsae}"}}
  c: {uses: number, with: {value: "\${base + 'x'}"}}
  d: {uses: number, with: {value: "\${base / 0}"}}
  e: {uses: number, with: {value: "\${base"}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:3:45 bad-expression
The expression cannot continue like this.
    a: {uses: number, with: {value: "\${base + * 2}"}}
                                              ^
Expressions know + - * / %, comparisons, && || !, a ? b : c, lists, and text in quotes.

p.yaml:4:45 unknown-param-reference
"bsae" is neither a param nor an axis of this node.
    b: {uses: number, with: {value: "\${base + bsae}"}}
                                              ^^^^
Did you mean "base"?

p.yaml:5:38 bad-expression
There is no "number + string": the types do not go together.
    c: {uses: number, with: {value: "\${base + 'x'}"}}
                                       ^^^^^^^^^^
Turn one into the other with string(…) or double(…).

p.yaml:6:38 bad-expression
The expression gives Infinity, which is not a finite number.
    d: {uses: number, with: {value: "\${base / 0}"}}
                                       ^^^^^^^^

p.yaml:7:38 bad-expression
This "\${" is not closed.
    e: {uses: number, with: {value: "\${base"}}
                                       ^^^^
Close it with "}", or write "$\${" for the two characters themselves.`,
  );
});

test('an expectation about a column that no row has is found before anything runs', () => {
  const text = `${NUMBER}expect:
  - {of: n.summary, where: "value > 1", that: "valeu < 10"}
  - {of: n.summary, that: "value == 'ten'"}
  - {of: n.summary, that: "value"}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:4:48 bad-expectation
There is no column "valeu".
    - {of: n.summary, where: "value > 1", that: "valeu < 10"}
                                                 ^^^^^
Did you mean "value"?

p.yaml:5:28 bad-expectation
There is no "number == string": the types do not go together.
    - {of: n.summary, that: "value == 'ten'"}
                             ^^^^^^^^^^^^^^
Turn one into the other with string(…) or double(…).

p.yaml:6:28 bad-expectation
The condition gives a number, not true or false.
    - {of: n.summary, that: "value"}
                             ^^^^^
Compare it with something, as in "error < 2".`,
  );
});

test('an override that names nothing suggests what it could', () => {
  const text = `params: {alphas: {linspace: [0, 1, 3]}}\n${NUMBER}`;
  expect(
    faultsOf(text, {
      set: ['alpha=[1]', 'alphas.linspac=[0, 1, 5]'],
      paramsFiles: [{path: 'x.json', text: '{"alphaz": 1}'}],
    }),
  ).toBe(
    `x.json:1:2 unknown-param
There is no param "alphaz" to override.
  {"alphaz": 1}
   ^^^^^^^^
Did you mean "alphas"?

--set:1:1 unknown-param
There is no param "alpha" to override.
  alpha=[1]
  ^^^^^
Did you mean "alphas"?

--set:1:1 unknown-param
There is no param "linspac" to override.
  alphas.linspac=[0, 1, 5]
  ^^^^^^^^^^^^^^
Did you mean "linspace"?`,
  );
});

test('a fault in one node hides none in another, and causes none', () => {
  const text = `${NUMBER}  a: {uses: mdo, in: {a: n.summary}, with: {by: 0}}
  b: {uses: scale, in: {a: a.summary}, sweep: {alpha: [7]}}
  c: {uses: gather, in: {points: b.points}}
  d: 5
  e: {uses: mod, in: {a: d.summary}, with: {by: "\${unknown_axis_of_d}"}}
expect:
  - {of: c.sumary, that: "value > 1"}
`;
  expect(faultsOf(text).match(/^p\.yaml.*$/gm)).toEqual([
    'p.yaml:3:13 unknown-stage',
    'p.yaml:4:56 bad-parameter',
    'p.yaml:6:6 wrong-type',
    'p.yaml:9:10 unknown-artifact',
  ]);
});

const train = defineStage({
  name: 'train',
  version: 1,
  doc: 'Has the kinds of parameters that training has.',
  params: z.strictObject({
    data: z.strictObject({
      name: z.enum(['mnist', 'cifar10']),
      limit: z.strictObject({train: z.int().min(1)}).optional(),
    }),
    seed: z.union([z.int(), z.strictObject({order: z.int(), augment: z.int()})]).describe('What is random.'),
    length: z
      .string()
      .regex(/^\d+(ep|it)$/, 'it is a number of epochs or steps, such as 8ep or 1200it')
      .default('1ep'),
    schedule: z
      .discriminatedUnion('kind', [
        z.strictObject({kind: z.literal('constant')}),
        z.strictObject({kind: z.literal('linear'), warmup: z.int().min(0)}),
      ])
      .default({kind: 'constant'}),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.9, 0.999]),
  }),
  inputs: {},
  outputs: {summary: {kind: 'summary', doc: 'Nothing.'}},
  computes: 'plain',
  run: async () => ({summary: []}),
});

test('inside a parameter the fault is marked where it is, also when the value came from params', () => {
  const text = `params:
  data: {name: mnits, limit: {trian: 5}}
stages:
  a: {uses: train, with: {data: "\${data}", seed: {order: 1}}}
  b: {uses: train, with: {data: {name: mnist, limit: {train: 0}}, seed: one, length: 8 ep}}
  c: {uses: train, with: {data: {name: mnist}, seed: 1, schedule: {kind: cosine}}}
  d: {uses: train, with: {data: {name: mnist}, seed: 1, schedule: {kind: linear, warmup: -1}, betas: [0.9, 1]}}
  e: {uses: train, with: {data: {name: mnist}, seed: 1.5, schedule: {kind: constant, warmup: 1}}}
`;
  expect(faultsOf(text, {}, new Map([['train', train]]))).toBe(
    `p.yaml:2:16 bad-parameter
"data.name" of "train" must be one of "mnist", "cifar10", but is "mnits".
    data: {name: mnits, limit: {trian: 5}}
                 ^^^^^

p.yaml:2:31 unknown-parameter
"data.limit" has no parameter "trian".
    data: {name: mnits, limit: {trian: 5}}
                                ^^^^^
Did you mean "train"?

p.yaml:4:50 missing-parameter
The node "a" lacks the parameter "seed.augment" of "train".
    a: {uses: train, with: {data: "\${data}", seed: {order: 1}}}
                                                   ^^^^^^^^^^
seed: What is random.

p.yaml:5:62 bad-parameter
"data.limit.train" of "train" must be a whole number of at least 1, but is 0.
    b: {uses: train, with: {data: {name: mnist, limit: {train: 0}}, seed: one, length: 8 ep}}
                                                               ^

p.yaml:5:73 bad-parameter
"seed" of "train" must be a whole number or a map, but is "one".
    b: {uses: train, with: {data: {name: mnist, limit: {train: 0}}, seed: one, length: 8 ep}}
                                                                          ^^^
seed: What is random.

p.yaml:5:86 bad-parameter
"length" of "train" cannot be "8 ep": it is a number of epochs or steps, such as 8ep or 1200it.
    b: {uses: train, with: {data: {name: mnist, limit: {train: 0}}, seed: one, length: 8 ep}}
                                                                                       ^^^^

p.yaml:6:74 bad-parameter
"schedule.kind" of "train" must be "constant" or "linear", but is "cosine".
    c: {uses: train, with: {data: {name: mnist}, seed: 1, schedule: {kind: cosine}}}
                                                                           ^^^^^^

p.yaml:7:90 bad-parameter
"schedule.warmup" of "train" must be a whole number of at least 0, but is -1.
    d: {uses: train, with: {data: {name: mnist}, seed: 1, schedule: {kind: linear, warmup: -1}, betas: [0.9, 1]}}
                                                                                           ^^

p.yaml:7:108 bad-parameter
"betas.1" of "train" must be a number of at least 0 and below 1, but is 1.
    d: {uses: train, with: {data: {name: mnist}, seed: 1, schedule: {kind: linear, warmup: -1}, betas: [0.9, 1]}}
                                                                                                             ^

p.yaml:8:54 bad-parameter
"seed" of "train" must be a whole number or a map, but is 1.5.
    e: {uses: train, with: {data: {name: mnist}, seed: 1.5, schedule: {kind: constant, warmup: 1}}}
                                                       ^^^
seed: What is random.

p.yaml:8:86 unknown-parameter
"schedule.warmup" of "train" cannot be given beside the others.
    e: {uses: train, with: {data: {name: mnist}, seed: 1.5, schedule: {kind: constant, warmup: 1}}}
                                                                                       ^^^^^^
Remove it, or what it excludes.`,
  );
});

test('an artifact that a stage gives only when asked says how to ask', () => {
  const asked = defineStage({
    name: 'asked',
    version: 1,
    doc: 'Gives a table when asked.',
    params: z.strictObject({rows: z.boolean().default(false).describe('Gives `table`.')}),
    inputs: {},
    outputs: {table: {kind: 'summary', when: 'rows', doc: 'The table.', columns: {value: 'int32'}}},
    computes: 'plain',
    async run() {
      return {table: [{value: 1}]};
    },
  });
  const stages = new Map([...countingStages, ['asked', asked]]);
  const text = (given: string) =>
    `stages:\n  n: {uses: asked, with: {rows: ${given}}}\nexpect: [{of: n.table, that: "value == 1"}]\n`;
  expect(faultsOf(text('false'), {}, stages)).toBe(
    `p.yaml:3:15 unknown-artifact
The node "n" has no artifact "table".
  expect: [{of: n.table, that: "value == 1"}]
                ^^^^^^^
Ask for it: with: {rows: true}.`,
  );
  expect(faultsOf(text('true'), {}, stages)).toBe('');
});
