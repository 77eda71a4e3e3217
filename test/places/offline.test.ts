import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {jsonLines, STACK, scratchFolder} from '../cli/basin.ts';
import {STUDY, STUDY_SIZE} from '../cli/study.ts';
import {inNamespace, may} from './namespace.ts';

test.skipIf(!may('net'))(
  'without any network plan, run, show and explain do all they do, with the back end tested there and then',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'study.yaml'), STUDY);
    const {step} = await inNamespace(
      'net',
      cwd,
      `export XDG_CACHE_HOME="$PLACE/user"
     step plan "$BASIN" plan study.yaml --backend cpu
     step run "$BASIN" run study.yaml --backend cpu --json
     step again "$BASIN" run study.yaml --backend cpu --json
     step show "$BASIN" show study.yaml barrier.summary --backend cpu --format json
     step explain "$BASIN" explain study.yaml barrier --backend cpu`,
    );
    for (const name of ['plan', 'run', 'again', 'show', 'explain']) {
      const {code, stdout, stderr} = step(name);
      expect(code, name + stdout + stderr).toBe(0);
      expect(stdout + stderr).not.toMatch(STACK);
    }
    expect(jsonLines(step('run').stdout).at(-1)).toMatchObject({failed: 0, skipped: 0});
    expect(jsonLines(step('again').stdout).at(-1)).toMatchObject({ran: 0, cached: STUDY_SIZE});
    expect(JSON.parse(step('show').stdout)).not.toEqual([]);
  },
  240_000,
);

const REMOTE = `name: remote
stages:
  load: {uses: pretrain-load, with: {source: "hf:nobody/nothing", labels: 3}}
  plain: {uses: pretrain-load, with: {source: random, model: {model: mlp, hidden: [4]}}}
`;

test.skipIf(!may('net'))(
  'what would have to be fetched is unresolved without a network, and fails alone when it is needed',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'remote.yaml'), REMOTE);
    const {step} = await inNamespace(
      'net',
      cwd,
      `step plan "$BASIN" plan remote.yaml --json
     step run "$BASIN" run remote.yaml --keep-going --json
     step text "$BASIN" run remote.yaml`,
    );
    expect(step('plan').code).toBe(0);
    expect(JSON.parse(step('plan').stdout).instances[0]).toMatchObject({id: 'load', verdict: 'unresolved'});
    const {code, stdout, stderr} = step('run');
    expect(code).toBe(1);
    expect(stdout + stderr).not.toMatch(STACK);
    expect(jsonLines(stdout).at(-1)).toMatchObject({ran: 1, failed: 1});
    expect(step('text').stdout).toMatch(/cannot be resolved: .+\n {2}.+/);
  },
  120_000,
);
