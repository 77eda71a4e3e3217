import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {registry} from '../../src/cli/registry.ts';
import {foresee} from '../../src/plan/foresee.ts';
import {makePlan} from '../../src/plan/make-plan.ts';
import {basin, scratchFolder} from '../cli/basin.ts';
import {expectContract} from '../cli/json-contract.ts';
import {fixture} from '../rig/checkpoints.ts';
import {graphOf} from '../rig/read-text.ts';
import {temporaryStore} from '../rig/temporary-store.ts';

// What a plan says of stages before anything has run: notes by instance, warnings without their places.

async function foretold(stages: string, wanted?: readonly number[]) {
  const graph = graphOf(`stages:\n${stages}`, {}, registry);
  const store = await temporaryStore();
  const {instances} = await makePlan(graph, {store, numerics: 'n1'});
  const {notes, warnings} = await foresee(graph, instances, wanted && new Set(wanted));
  return {
    notes: Object.fromEntries([...notes].map(([index, note]) => [graph.instances[index]?.id, note])),
    warnings: warnings.map(({at: _, ...warning}) => warning),
  };
}

const MLP = 'random: {uses: pretrain-load, with: {source: random, model: {model: mlp}}}';
const TRAIN = 'data: {name: mnist}, length: 40it, lr: 0.1';

test('LeNet-300-100 has 266,610 parameters, of which the two hidden layers can be pruned, at every point of a sweep', async () => {
  const {notes, warnings} = await foretold(`
  ${MLP}
  trained: {uses: finetune, in: {weights: random.weights}, with: {${TRAIN}}}
  merged: {uses: merge-linear, in: {a: trained.weights}}
  prune: {uses: platon-prune, in: {weights: merged.weights}, with: {${TRAIN}}, sweep: {keep: [0.5, 0.2]}}
`);
  // 784·300 + 300·100 of 784·300 + 300 + 300·100 + 100 + 100·10 + 10 (LeCun et al. 1998)
  const note = '265,200 of 266,610 weights can be pruned, in 2 of 6 tensors: {fc1,fc2}.weight';
  expect(notes).toEqual({'prune[keep=0.5]': note, 'prune[keep=0.2]': note});
  expect(warnings).toEqual([]);
});

test('of a checkpoint, config.json says it: under a fresh head, at another size, in every way to prune', async () => {
  const {notes} = await foretold(`
  hub: {uses: pretrain-load, with: {source: ${fixture('p4-32')}, labels: 10, image_size: 28}}
  body: {uses: pretrain-load, in: {weights: hub.weights}, with: {source: upstream, labels: 3}}
  once: {uses: magnitude-prune, in: {weights: hub.weights}, with: {rule: open_lth}}
  queries: {uses: magnitude-prune, in: {weights: body.weights}, with: {rule: open_lth, prunable: {include: ["*layer.[01].*query.weight"]}}}
  levels: {uses: imp, in: {weights: body.weights, mask: {from: levels.mask, previous: level}}, with: {${TRAIN}, prune: {rule: open_lth}}, sweep: {level: [0, 1]}}
`);
  // width 48, 3 blocks of 4·48² + 2·48·192; head 48·10 + 10 or 48·3 + 3
  const body = 3 * (4 * 48 * 48 + 2 * 48 * 192);
  const others = 90_202 - body - 490;
  const parts =
    '{attention.attention.key,attention.attention.query,attention.attention.value,attention.output.dense,intermediate.dense,output.dense}';
  const all = (head: number): string =>
    `${body.toLocaleString('en-US')} of ${(body + others + head).toLocaleString('en-US')} weights can be pruned, in 18 of 56 tensors: vit.encoder.layer.*.${parts}.weight`;
  expect(notes).toEqual({
    once: all(490),
    queries: `4,608 of ${(body + others + 147).toLocaleString('en-US')} weights can be pruned, in 2 of 56 tensors: vit.encoder.layer.{0,1}.attention.attention.query.weight`,
    'levels[level=0]': all(147),
    'levels[level=1]': all(147),
  });
});

test('what is not known is not said', async () => {
  const {notes, warnings} = await foretold(`
  hub: {uses: pretrain-load, with: {source: ./nowhere, labels: 10}}
  prune: {uses: magnitude-prune, in: {weights: hub.weights}, with: {rule: open_lth}}
  made: {run: [python3, make.py], out: {w: {kind: weights}}}
  other: {uses: magnitude-prune, in: {weights: made.w}, with: {rule: open_lth}}
`);
  expect(notes).toEqual({});
  expect(warnings).toEqual([]);
});

test('what the stage would refuse is a warning, once a node, of what is wanted', async () => {
  const stages = `
  ${MLP}
  flat: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: []}}}
  typo: {uses: platon-prune, in: {weights: random.weights}, with: {${TRAIN}, prunable: {include: [fc3]}}, sweep: {keep: [0.5, 0.2]}}
  empty: {uses: magnitude-prune, in: {weights: flat.weights}, with: {rule: open_lth}}
`;
  const typo = {
    code: 'will-fail',
    message: '"typo": No tensor of the network matches "fc3".',
    hint: 'The tensors are: classifier.bias, classifier.weight, fc1.bias, fc1.weight, fc2.bias, fc2.weight.',
  };
  const {notes, warnings} = await foretold(stages);
  expect(notes).toEqual({});
  expect(warnings).toEqual([
    typo,
    {
      code: 'will-fail',
      message: '"empty": The network has no weights that can be pruned.',
      hint: 'Prune a vit, or an mlp with hidden layers.',
    },
  ]);
  const graph = graphOf(`stages:\n${stages}`, {}, registry);
  const at = graph.instances.findIndex(({node}) => node === 'typo');
  expect((await foretold(stages, [at])).warnings).toEqual([typo]);
});

/** Warnings of a barrier over these alphas, and of instability. */
const ofLine = async (alphas: string) =>
  (
    await foretold(`
  ${MLP}
  line: {uses: interpolate, in: {a: random.weights, b: random.weights}, with: {data: {name: mnist}, examples: true}, sweep: {alpha: ${alphas}}}
  barrier: {uses: barrier, in: {points: line.points}}
  instability: {uses: instability, in: {examples: line.examples}}
`)
  ).warnings;

test('a barrier over a line without its middle, or without an end, is warned of with what to write', async () => {
  expect(await ofLine('{linspace: [0, 1, 31]}')).toEqual([]);
  const middle = (node: string, n: number, odd: number) => ({
    code: 'no-midpoint',
    message: `"${node}": 0.5 is not among the ${n} values of alpha, and barriers are often highest there.`,
    hint: `Add 0.5; of even steps an odd number has it, as in {linspace: [0, 1, ${odd}]}.`,
  });
  expect(await ofLine('{linspace: [0, 1, 30]}')).toEqual([middle('barrier', 30, 31), middle('instability', 30, 31)]);
  expect((await ofLine('[0, 0.4, 1]'))[0]).toEqual(middle('barrier', 3, 3));
  expect((await ofLine('[0, 0.5, 0.9]'))[0]).toEqual({
    code: 'will-fail',
    message: '"barrier": A barrier is measured from both ends of the line, and the points have no alpha = 1.',
    hint: 'Put 0 and 1 among the values of alpha, as in {linspace: [0, 1, 25]}.',
  });
});

test('each replicate has its line, and a line over two axes is none', async () => {
  const two = (over: string) => `
  ${MLP}
  line: {uses: interpolate, in: {a: random.weights, b: random.weights}, with: {data: {name: mnist}, train: "\${some}"}, sweep: {alpha: [0, 0.5, 1], some: [0, 10]}}
  barrier: {uses: barrier, in: {points: ${over}}}
`;
  expect((await foretold(two('line.points'))).warnings).toEqual([]);
  expect((await foretold(two('{from: line.points, over: [alpha, some]}'))).warnings).toEqual([
    {
      code: 'will-fail',
      message: '"barrier": The points are gathered over alpha, some, and a barrier needs one.',
      hint: 'Gather over the axis that moves from a to b alone: {from: interpolate.points, over: [alpha]}.',
    },
  ]);
});

test('`plan` shows a note once a node, and `--json` at every instance', async () => {
  const cwd = await scratchFolder();
  const text = `stages:
  ${MLP}
  prune: {uses: platon-prune, in: {weights: random.weights}, with: {${TRAIN}}, sweep: {keep: [0.5, 0.2]}}
`;
  await writeFile(join(cwd, 'p.yaml'), text);
  const {stdout} = await basin(['plan', 'p.yaml'], {cwd});
  expect(stdout.split('\n')).toEqual(
    expect.arrayContaining([
      'prune   2 run  (keep ×2)',
      '        265,200 of 266,610 weights can be pruned, in 2 of 6 tensors: {fc1,fc2}.weight',
    ]),
  );
  const json: unknown = JSON.parse((await basin(['plan', 'p.yaml', '--json'], {cwd})).stdout);
  expectContract('plan', json);
  const note = expect.stringMatching(/^265,200 of/);
  expect(json).toMatchObject({
    instances: [{id: 'random'}, {id: 'prune[keep=0.5]', note}, {id: 'prune[keep=0.2]', note}],
  });
});
