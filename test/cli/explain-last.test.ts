// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pipelines write expressions like this
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from './basin.ts';

const PIPELINE = `params: {n: 1}
stages:
  prep: {run: [sh, -c, 'echo "$0" >"$1"', "\${n}", "\${out.r}"], out: {r: {kind: file}}}
  use: {run: [sh, -c, 'grep -c . "$0" >"$1" || true', "\${in.r}", "\${out.q}"], in: {r: prep.r}, out: {q: {kind: file}}}
`;

test('of what is cached, why it last ran is told apart from what was new when it first had its key', {
  timeout: 60_000,
}, async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const run = async (...args: string[]) =>
    expect(await basin(['run', 'p.yaml', ...args], {cwd})).toMatchObject({code: 0});
  const explain = async (...args: string[]) => (await basin(['explain', 'p.yaml', ...args], {cwd})).stdout;
  await run();
  expect(await explain('prep')).toBe('prep: cached\n  Why it last ran: has not run before\n');
  await run('--set', 'n=2');
  const now = ['prep', '--set', 'n=2'] as const;
  const news = '  What was new when it first had this key:\n  params.run[3]: "1" → "2"\n';
  expect(await explain(...now)).toBe(`prep: cached\n  Why it last ran: run[3] 1 → 2\n${news}`);

  await basin(['cache', 'gc', '--budget', '0'], {cwd});
  await run('--set', 'n=2', '--target', 'prep.r');
  await run('--set', 'n=2'); // nothing runs
  const gone = 'its r file is needed and no longer in the cache';
  expect(await explain(...now)).toBe(`prep: cached\n  Why it last ran: ${gone}\n${news}`);
  expect(JSON.parse(await explain(...now, '--json'))).toEqual({
    instance: 'prep',
    verdict: 'cached',
    changes: [],
    lastReason: gone,
    lastChanges: [{path: 'params.run[3]', before: '1', after: '2'}],
  });

  // What it has now it had first, whatever ran since.
  expect(await explain('prep')).toBe('prep: cached\n  Why it last ran: has not run before\n');
  expect(await explain('use', '--set', 'n=3')).toMatch(
    /^use: run-unless-cut-off, prep runs\n {2}inputs\.r: ".*" → \{"awaits":"prep"\}\n$/,
  );
});
