import {spawnSync} from 'node:child_process';
import {chmod, chown, mkdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, jsonLines, STACK, scratchFolder} from '../cli/basin.ts';
import {PLAIN} from '../cli/study.ts';
import {expectIntact} from './intact.ts';
import {inNamespace, may} from './namespace.ts';
import {as, asOther, works} from './other-user.ts';

const LOOKS = {
  plan: ['plan', 'plain.yaml'],
  show: ['show', 'plain.yaml', 'again.summary', '--format', 'csv'],
  arrow: ['show', 'plain.yaml', 'start.weights', '--output', 'start.csv', '--format', 'csv'],
  explain: ['explain', 'plain.yaml', 'again'],
  log: ['log', 'plain.yaml', 'again'],
} as const;
const steps = (when: string): string =>
  Object.entries(LOOKS)
    .map(([name, args]) => `step ${when}-${name} "$BASIN" ${args.join(' ')}`)
    .join('\n');

test.skipIf(!may('mount'))(
  'on a read-only cache plan, show, explain and log answer as before, and a run stops with what to do',
  async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, 'plain.yaml'), PLAIN);
    await writeFile(join(cwd, 'more.yaml'), PLAIN.replace('labels: 3', 'labels: 4'));
    const {step, out} = await inNamespace(
      'mount',
      cwd,
      `mount -t tmpfs -o size=8m none "$PLACE"
     step run "$BASIN" run plain.yaml
     ${steps('before')}
     cp -r "$PLACE/cache" "$OUT/before"
     mount -o remount,ro "$PLACE"
     ${steps('after')}
     step rerun "$BASIN" run plain.yaml
     step more "$BASIN" run more.yaml
     step json "$BASIN" run more.yaml --json
     cp -r "$PLACE/cache" "$OUT/after"
     diff -r "$OUT/before/keys" "$OUT/after/keys"
     diff -r "$OUT/before/runs" "$OUT/after/runs"`,
    );
    expect(step('run').code).toBe(0);
    for (const name of Object.keys(LOOKS)) {
      expect(step(`before-${name}`), name).toMatchObject({code: 0, stderr: ''});
      expect(step(`after-${name}`), name).toEqual(step(`before-${name}`));
    }
    expect(step('after-show').stdout).toMatch(/^instance,|^\w+,/);
    const root = join(cwd, 'place', 'cache');
    const ofLog = `Cannot write the log of a run to the cache at ${root}: the file system is read-only.`;
    const message = `Cannot write a result to the cache at ${root}: the file system is read-only.`;
    const hint = 'Name another folder with --cache DIR or BASIN_CACHE.';
    for (const [name, what] of [
      ['rerun', ofLog],
      ['more', message],
    ] as const)
      expect(step(name)).toEqual({code: 1, stdout: '', stderr: `store-read-only: ${what}\n${hint}\n`});
    expect(step('json').code).toBe(1);
    expect(JSON.parse(step('json').stdout)).toMatchObject({errors: [{code: 'store-read-only', message, hint}]});
    expect(await expectIntact(join(out, 'after'))).toBe(2);
  },
  120_000,
);

const NOW = `stages:
  now: {run: [sh, -c, 'cat /proc/sys/kernel/random/uuid >"$0"', "\${out.text}"], out: {text: file}}
`;

const SHOW = ['show', 'now.yaml', 'now.text'];

test.skipIf(!works || asOther.length === 0)(
  'an index that only another member of the group may write to makes room for one that all may, and tells nobody of what was replaced',
  async () => {
    const cwd = await scratchFolder();
    await chmod(cwd, 0o755);
    await writeFile(join(cwd, 'now.yaml'), NOW);
    const cache = join(cwd, 'cache');
    await mkdir(cache);
    await chown(cache, 0, 65534);
    await chmod(cache, 0o2775);
    const before = process.umask(0o002);
    try {
      await basin(['run', 'now.yaml'], {cwd});
      const first = await basin(SHOW, {cwd});
      expect(first).toMatchObject({code: 0, stderr: ''});
      const index = join(cache, 'index.sqlite');
      expect((await stat(index)).mode & 0o777).toBe(0o664);
      const shared = as(asOther, ['plan', 'now.yaml'], cwd);
      expect(shared, shared.stderr).toMatchObject({code: 0, stderr: ''});
      expect(await stat(index)).toMatchObject({uid: 0, gid: 65534});
      await chmod(index, 0o644);
      const forced = as(asOther, ['run', 'now.yaml', '--force', 'now'], cwd);
      expect(forced, forced.stderr).toMatchObject({code: 0, stderr: ''});
      const told = as(asOther, SHOW, cwd);
      expect(told).toEqual(await basin(SHOW, {cwd}));
      expect(told.stdout).not.toBe(first.stdout);
      const made = await stat(index);
      expect({uid: made.uid, mode: made.mode & 0o777}).toEqual({uid: 65534, mode: 0o664});
      expect((await basin(['cache', 'verify'], {cwd})).stdout).toMatch(/whole: every file is what its name says\n$/);
    } finally {
      process.umask(before);
    }
  },
  120_000,
);

test.skipIf(!works)(
  'a cache that another user keeps for himself is told with what to do, by every command',
  async () => {
    const cwd = await scratchFolder();
    await chmod(cwd, 0o755);
    await writeFile(join(cwd, 'plain.yaml'), PLAIN);
    const closed = join(cwd, 'closed');
    await mkdir(closed);
    await basin(['run', 'plain.yaml', '--cache', 'closed'], {cwd});
    await chmod(closed, 0o000);
    const {stdout, stderr, code} = as(asOther, ['plan', 'plain.yaml', '--cache', 'closed'], cwd);
    expect(stderr).toBe(
      `store-no-rights: Cannot open the cache at ${closed}: no permission.\nMake it yours with chown or chmod. Or name another folder with --cache DIR or BASIN_CACHE.\n`,
    );
    expect({stdout, code}).toEqual({stdout: '', code: 1});
    await chmod(closed, 0o755);
    const reading = as(asOther, ['plan', 'plain.yaml', '--cache', 'closed'], cwd);
    expect(reading, reading.stderr).toMatchObject({code: 0, stderr: ''});
    if (asOther.length === 0) return;
    const running = as(asOther, ['run', 'plain.yaml', '--cache', 'closed'], cwd);
    expect(running.code).toBe(1);
    expect(running.stderr).toContain('no permission');
    expect(running.stderr).not.toMatch(STACK);
  },
);

/** A program that gives a table of as many rows. */
const rows = (count: number): string => {
  const text = JSON.stringify(Array.from({length: count}, () => ({x: 1})));
  return `{run: [sh, -c, 'printf "%s" "$1" > "$2"', s, '${text}', "\${out.t}"], out: {t: {kind: summary, columns: {x: float64}}}}`;
};
// More rows than a record takes, and so few that it takes them.
const HELD = `stages:
  held: ${rows(100)}
  few: ${rows(1)}
expect:
  - {of: held.t, that: "x >= 0.0"}
  - {of: few.t, that: "x > 1"}
`;

test.skipIf(!works || asOther.length === 0)(
  'a claim on a table that may not be read is not met, and the other is told',
  async () => {
    const cwd = await scratchFolder();
    await chmod(cwd, 0o755);
    await writeFile(join(cwd, 'held.yaml'), HELD);
    expect((await basin(['run', 'held.yaml', '--quiet'], {cwd})).code).toBe(1);
    const cache = join(cwd, 'cache');
    spawnSync('chown', ['-R', '65534:65534', cache]);
    const blobs = spawnSync('find', [join(cache, 'blobs'), '-type', 'f'], {encoding: 'utf8'})
      .stdout.trim()
      .split('\n');
    for (const blob of blobs) {
      await chown(blob, 0, 0);
      await chmod(blob, 0o600);
    }
    const {code, stdout, stderr} = as(asOther, ['run', 'held.yaml', '--json'], cwd);
    expect({code, stderr}).toEqual({code: 1, stderr: ''});
    const detail = `Cannot read the cache at ${cache}: no permission. Make it yours with chown or chmod. Or name another folder with --cache DIR or BASIN_CACHE.`;
    expect(jsonLines(stdout).slice(-3)).toEqual([
      {event: 'expectation', of: 'held.t', where: null, that: 'x >= 0.0', met: false, detail},
      expect.objectContaining({
        event: 'expectation',
        of: 'few.t',
        met: false,
        detail: '1 of 1 rows fail, the first is x=1',
      }),
      expect.objectContaining({event: 'run-finished', ran: 0, cached: 2}),
    ]);
  },
  120_000,
);
