import {readFileSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {fixture} from '../rig/checkpoints.ts';
import {hubServer} from '../rig/hub-server.ts';
import {basin, STACK, scratchFolder} from './basin.ts';

test('a run fetches a model from the hub once and says so; a plan and an offline run do not', async () => {
  const names = ['config.json', 'model.safetensors'];
  const server = await hubServer(new Map(names.map((name) => [name, readFileSync(join(fixture('p4-32'), name))])));
  onTestFinished(() => server.close());
  const cwd = await scratchFolder();
  const place = {cwd, env: {HF_HOME: join(cwd, 'hf'), HF_ENDPOINT: server.url}};
  await writeFile(join(cwd, 'a.yaml'), 'stages:\n  load: {uses: pretrain-load, with: {source: "hf:some/vit"}}\n');
  const plan = await basin(['plan', 'a.yaml'], place);
  expect(plan.stdout).toMatch(/some\/vit at revision main is not in the local HuggingFace cache/);
  const offline = await basin(['run', 'a.yaml', '--offline'], place);
  expect(offline.code).toBe(1);
  expect(offline.stdout + offline.stderr).toMatch(/--offline or HF_HUB_OFFLINE/);
  expect(server.requests).toEqual([]);
  await writeFile(join(cwd, 'b.yaml'), `${await readFile(join(cwd, 'a.yaml'), 'utf8')}  free: {run: [echo, hello]}\n`);
  expect((await basin(['run', 'b.yaml', '--target', 'free'], place)).code).toBe(0);
  expect(server.requests).toEqual([]);
  const run = await basin(['run', 'a.yaml', '--json'], place);
  expect(run).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Fetching config\.json of some\/vit .*\nFetching model/),
  });
  const asked = server.requests.length;
  const again = await basin(['run', 'a.yaml', '--offline', '--json'], place);
  expect(JSON.parse(again.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ran: 0, cached: 1});
  expect(server.requests).toHaveLength(asked);
  for (const {stdout, stderr} of [plan, offline, run]) expect(stdout + stderr).not.toMatch(STACK);
});
