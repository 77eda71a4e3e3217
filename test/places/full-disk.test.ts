import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {STACK, scratchFolder} from '../cli/basin.ts';
import {PLAIN} from '../cli/study.ts';
import {draftsLeft, expectIntact} from './intact.ts';
import {inNamespace, may} from './namespace.ts';

const FULL = 'the disk is full.';
const HINT =
  'Free some space on its disk; the next run goes on from what is stored. Or name another folder with --cache DIR or BASIN_CACHE.';

// 3.2 MB of weights, beside a small network that fits.
const LARGE = `name: large
stages:
  small: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: [4]}}}
  large: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: [1000]}}}
`;

const skip = !may('mount');

test.skipIf(skip)(
  'a disk too small for an output fails that instance alone with what to do, and the run goes on when there is room',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'large.yaml'), LARGE);
    const {step, out} = await inNamespace(
      'mount',
      cwd,
      `mount -t tmpfs -o size=2m none "$PLACE"
     step first "$BASIN" run large.yaml --keep-going
     cp -r "$PLACE/cache" "$OUT/after-first"
     mount -o remount,size=16m "$PLACE"
     step second "$BASIN" run large.yaml
     cp -r "$PLACE/cache" "$OUT/after-second"`,
    );
    const first = step('first');
    expect(first.code).toBe(1);
    expect(first.stdout + first.stderr).not.toMatch(STACK);
    expect(first.stdout).toContain(
      `  Cannot write a result to the cache at ${join(cwd, 'place', 'cache')}: ${FULL}\n  ${HINT}\n`,
    );
    expect(first.stdout).toMatch(/^ran 1, cached 0, failed 1 in /m);
    expect(await expectIntact(join(out, 'after-first'))).toBe(1);
    expect(await draftsLeft(join(out, 'after-first'))).toEqual([]);
    const second = step('second');
    expect(second.code, second.stdout + second.stderr).toBe(0);
    expect(second.stdout).toMatch(/^ran 1, cached 1 in /m);
    expect(await expectIntact(join(out, 'after-second'))).toBe(2);
  },
  120_000,
);

// What does not fit goes from the first byte of FORMAT over log, index, draft and record to nothing.
const LEVELS = [0, 4, 8, 16, 24, 36, 64, 120, 240];

test.skipIf(skip)(
  'wherever the disk gets full, a run says so, leaves a store that is whole, and goes on when there is room',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'plain.yaml'), PLAIN);
    const script = LEVELS.map(
      (free) => `
      mount -t tmpfs -o size=1m none "$PLACE"
      fill ${free}
      step run-${free} "$BASIN" run plain.yaml
      cp -r "$PLACE" "$OUT/after-${free}"
      rm "$PLACE/fill"
      step again-${free} "$BASIN" run plain.yaml
      cp -r "$PLACE" "$OUT/again-${free}"
      umount "$PLACE"`,
    );
    const {step, out} = await inNamespace('mount', cwd, script.join('\n'));
    const ends = new Set<number>();
    for (const free of LEVELS) {
      const run = step(`run-${free}`);
      const said = run.stdout + run.stderr;
      ends.add(run.code);
      expect([0, 1], said).toContain(run.code);
      expect(said, `${free} KiB free`).not.toMatch(STACK);
      if (run.code === 1) expect(said).toContain(FULL);
      await expectIntact(join(out, `after-${free}`, 'cache'));
      const again = step(`again-${free}`);
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(await expectIntact(join(out, `again-${free}`, 'cache'))).toBe(2);
      expect(await draftsLeft(join(out, `again-${free}`, 'cache'))).toEqual([]);
    }
    expect([...ends].sort()).toEqual([0, 1]);
  },
  240_000,
);

const TRAINING = `name: training
params:
  data: {name: mnist, limit: {train: 320, test: 100}}
stages:
  load: {uses: pretrain-load, with: {source: random, seed: 1, model: {model: mlp, hidden: [24], labels: 10}}}
  long: {uses: finetune, in: {weights: load.weights}, with: {data: "\${data}", seed: 1, length: 1000it, lr: 0.01, batch: 16}}
`;

test.skipIf(skip)(
  'a checkpoint that finds no room is told once and fails no training',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'training.yaml'), TRAINING);
    const {step, out} = await inNamespace(
      'mount',
      cwd,
      `mount -t tmpfs -o size=2m none "$PLACE"
     step load "$BASIN" run training.yaml --backend cpu --target load
     fill 200
     step long "$BASIN" run training.yaml --backend cpu
     cp -r "$PLACE/cache" "$OUT/cache"`,
    );
    expect(step('load').code, step('load').stderr).toBe(0);
    const {code, stdout, stderr} = step('long');
    expect(stdout + stderr).not.toMatch(STACK);
    expect(code, stdout + stderr).toBe(0);
    const warnings = stdout.split('\n').filter((line) => line.startsWith('warning '));
    expect(warnings).toEqual([
      `warning long: Cannot write a checkpoint to the cache at ${join(cwd, 'place', 'cache')}: ${FULL} It goes on without, and would begin again if it were interrupted.`,
    ]);
    expect(await expectIntact(join(out, 'cache'))).toBe(2);
  },
  120_000,
);

// A copy of what it declares, a copy of what it takes, and what is kept of what it says: each finds no room for itself.
const PROGRAMS = {
  declared: `{run: [sh, -c, 'true'], files: [large.bin]}`,
  taken: `{run: [sh, -c, 'true'], in: {bytes: half.bytes}}`,
  said: '{run: [seq, "1", "400000"]}',
};

test.skipIf(skip)(
  'a program for whose files or lines there is no room fails with what to do',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'large.bin'), Buffer.alloc(2_500_000));
    const half = `half: {run: [sh, -c, 'head -c 1200000 /dev/zero > \${out.bytes}'], out: {bytes: file}}`;
    const names = Object.keys(PROGRAMS);
    for (const [name, program] of Object.entries(PROGRAMS))
      await writeFile(join(cwd, `${name}.yaml`), `stages:\n  ${half}\n  ${name}: ${program}\n`);
    const script = names.map(
      (name) => `
      mount -t tmpfs -o size=2m none "$PLACE"
      step ${name} "$BASIN" run ${name}.yaml --jobs 1
      cp -r "$PLACE/cache" "$OUT/after-${name}"
      umount "$PLACE"`,
    );
    const {step, out} = await inNamespace('mount', cwd, script.join('\n'));
    for (const name of names) {
      const {code, stdout, stderr} = step(name);
      expect(code, stdout + stderr).toBe(1);
      expect(stdout + stderr, name).not.toMatch(STACK);
      expect(stdout, name).toContain(
        `  Cannot write to the cache at ${join(cwd, 'place', 'cache')}: ${FULL}\n  ${HINT}\n`,
      );
      expect(stdout, name).toMatch(/^ran 1, cached 0, failed 1 in /m);
      expect(await expectIntact(join(out, `after-${name}`))).toBe(1);
      expect(await draftsLeft(join(out, `after-${name}`))).toEqual([]);
    }
  },
  120_000,
);
