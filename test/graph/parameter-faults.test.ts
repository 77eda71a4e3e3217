import {expect, test} from 'vitest';
import {z} from 'zod';
import {defineStage} from '../../src/stage/define-stage.ts';
import {countingStages} from '../rig/counting-stages.ts';
import {faultsOf} from '../rig/read-text.ts';

// Each text is what the user sees, whole: file, line, column, code, sentence, source line, caret, remedy.

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
Did you mean "mnist"?

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

test('a value that comes with an input is marked at the node that it does not fit, and not where it is right', () => {
  const text = `params: {values: [1, 2.5]}
stages:
  n: {uses: number, sweep: {value: "\${values}"}}
  by: {uses: mod, in: {a: n.summary}, with: {by: "\${value}"}}
  row: {uses: mod, in: {a: n.summary}, with: {by: 3}, sweep: {include: [{value: 1, by: 2}, {value: 2.5, by: "\${value}"}]}}
  joined: {uses: mod, in: {a: n.summary}, with: {by: "\${value}"}, sweep: {value: [2.5, 7]}}
  own: {uses: mod, in: {a: n.summary}, sweep: {by: [2, 0.5]}}
  limit: {uses: number, with: {value: "\${limit == 'low' ? 1 : 2}"}, sweep: {limit: [low, high]}}
  named: {uses: at-most, in: {a: limit.summary}}
`;
  expect(faultsOf(text)).toBe(
    `p.yaml:4:50 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is 2.5.
    by: {uses: mod, in: {a: n.summary}, with: {by: "\${value}"}}
                                                   ^^^^^^^^^^
by: The divisor.

p.yaml:5:109 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is 2.5.
    row: {uses: mod, in: {a: n.summary}, with: {by: 3}, sweep: {include: [{value: 1, by: 2}, {value: 2.5, by: "\${value}"}]}}
                                                                                                              ^^^^^^^^^^
by: The divisor.

p.yaml:6:54 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is 2.5.
    joined: {uses: mod, in: {a: n.summary}, with: {by: "\${value}"}, sweep: {value: [2.5, 7]}}
                                                       ^^^^^^^^^^
by: The divisor.

p.yaml:7:56 bad-parameter
"by" of "mod" must be a whole number of at least 1, but is 0.5.
    own: {uses: mod, in: {a: n.summary}, sweep: {by: [2, 0.5]}}
                                                         ^^^
by: The divisor.

p.yaml:9:3 bad-parameter
"limit" of "at-most" must be a number, but is "low".
    named: {uses: at-most, in: {a: limit.summary}}
    ^^^^^
The axis "limit" comes with an input and sets it: give "limit" under "with", or rename the axis with {from: NODE.ARTIFACT, as: {limit: NEW_NAME}}.`,
  );
});
