import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {chmod, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {jsonLines, STACK, scratchFolder} from '../cli/basin.ts';
import {as, asOther, works} from './other-user.ts';

const HINT = 'Make it yours with chown or chmod. Or name another folder with --cache DIR or BASIN_CACHE.';

/** A folder that whoever basin runs as may write to. */
async function openFolder(): Promise<string> {
  const cwd = await scratchFolder();
  await chmod(cwd, 0o777);
  return cwd;
}

const KEPT = `stages:
  kept: {run: [sh, -c, 'echo kept >"$0"', "\${out.o}"], out: {o: file}}
`;
const DIGEST = createHash('sha256').update('kept\n').digest('hex');
const BLOBS = join('cache', 'blobs', DIGEST.slice(0, 2));
const both = (input: string) =>
  `{run: [sh, -c, 'cat "$1" "$2" >"$0"', "\${out.o}", "\${in.a}", "\${in.b}"], in: {a: ${input}, b: kept.o}, out: {o: file}}`;

test.skipIf(!works)(
  'a damaged result whose record can no longer be removed fails with what to do, and what takes it is skipped',
  async () => {
    const cwd = await openFolder();
    await writeFile(join(cwd, 'kept.yaml'), KEPT);
    expect(as(asOther, ['run', 'kept.yaml'], cwd).code).toBe(0);
    const [folder = ''] = await readdir(join(cwd, 'cache', 'keys'));
    const blob = join(BLOBS, `${DIGEST}.arrow`);
    const damage = `chmod 555 cache/keys/${folder}; chmod 644 ${blob}; echo kepT >${blob}`;
    const a = `{run: [sh, -c, '(cd "$1"; ${damage}); echo a >"$0"', "\${out.o}", ${JSON.stringify(cwd)}], out: {o: file}}`;
    await writeFile(join(cwd, 'lost.yaml'), `${KEPT}  a: ${a}\n  below: ${both('a.o')}\n`);
    const {code, stdout, stderr} = as(asOther, ['run', 'lost.yaml', '--jobs', '1', '--keep-going', '--json'], cwd);
    expect({code, stderr}).toEqual({code: 1, stderr: ''});
    const told = jsonLines(stdout);
    const failure = {
      message: `Cannot remove a result from the cache at ${join(cwd, 'cache')}: no permission.`,
      hint: HINT,
    };
    expect(told).toContainEqual({event: 'instance-finished', id: 'kept', outcome: 'failed', seconds: 0, failure});
    expect(told).toContainEqual({event: 'instance-finished', id: 'below', outcome: 'skipped', seconds: 0});
    expect(told.at(-1)).toMatchObject({ran: 1, cached: 0, failed: 1, skipped: 1});
  },
  120_000,
);

const lost = (
  cwd: string,
): string => `${KEPT}  a: {run: [sh, -c, 'chmod 0 "$1"; echo a >"$0"', "\${out.o}", ${JSON.stringify(join(cwd, BLOBS))}], out: {o: file}}
  below: ${both('a.o')}
  beside: {run: [cp, "\${in.a}", "\${out.o}"], in: {a: a.o}, out: {o: file}}
  other: {run: [sh, -c, 'echo other >"$0"', "\${out.o}"], out: {o: file}}
  last: ${both('other.o')}
`;

test.skipIf(!works)(
  'a payload that can no longer be read while a run goes on fails what needs it, with what to do, and nothing else',
  async () => {
    const cwd = await openFolder();
    await writeFile(join(cwd, 'kept.yaml'), KEPT);
    await writeFile(join(cwd, 'lost.yaml'), lost(cwd));
    expect(as(asOther, ['run', 'kept.yaml'], cwd).code).toBe(0);
    const {code, stdout, stderr} = as(asOther, ['run', 'lost.yaml', '--jobs', '1', '--keep-going', '--json'], cwd);
    expect({code, stderr}).toEqual({code: 1, stderr: ''});
    expect(stdout).not.toMatch(STACK);
    const failure = {message: `Cannot read the cache at ${join(cwd, 'cache')}: no permission.`, hint: HINT};
    const told = jsonLines(stdout);
    for (const id of ['below', 'last'])
      expect(told).toContainEqual({event: 'instance-finished', id, outcome: 'failed', seconds: 0, failure});
    const end = expect.objectContaining({event: 'run-finished', ran: 3, cached: 1, failed: 2, skipped: 0});
    expect(told.at(-1)).toEqual(end);
    expect(await readdir(join(cwd, 'cache', 'tmp'))).toEqual([]);
    const runs = join(cwd, 'cache', 'runs');
    const [log = ''] = (await readdir(runs)).filter((name) => /^\d.*-lost\.jsonl$/.test(name));
    expect(jsonLines(await readFile(join(runs, log), 'utf8')).at(-1)).toEqual(end);
  },
  120_000,
);

const NOTED = `stages:
  old: {run: [sh, -c, 'echo old >"$0"', "\${out.o}"], out: {o: file}}
`;
const more = (
  cwd: string,
): string => `${NOTED}  new: {run: [sh, -c, 'touch "$1"; echo new >"$0"', "\${out.o}", ${JSON.stringify(join(cwd, 'computed'))}], out: {o: file}}
`;

test.skipIf(!works)(
  'a run whose results could not be stored everywhere stops before it computes; what is cached is, and a plan is made',
  async () => {
    const cwd = await openFolder();
    await writeFile(join(cwd, 'old.yaml'), NOTED);
    await writeFile(join(cwd, 'more.yaml'), more(cwd));
    expect(as(asOther, ['run', 'old.yaml'], cwd).code).toBe(0);
    const cache = join(cwd, 'cache');
    const [keys = ''] = await readdir(join(cache, 'keys'));
    const [blobs = ''] = await readdir(join(cache, 'blobs'));
    for (const folder of ['keys', 'blobs', 'tmp', join('keys', keys), join('blobs', blobs)]) {
      const path = join(cache, folder);
      await chmod(path, 0o555);
      const message = `Cannot write a result to the cache at ${cache}: no permission to write to ${path}.`;
      const stderr = `store-no-rights: ${message}\n${HINT}\n`;
      expect(as(asOther, ['run', 'more.yaml', '--keep-going'], cwd), folder).toEqual({code: 1, stdout: '', stderr});
      expect(existsSync(join(cwd, 'computed')), folder).toBe(false);
      await chmod(path, 0o755);
    }
    await chmod(join(cache, 'keys'), 0o555);
    const cached = as(asOther, ['run', 'old.yaml', '--json'], cwd);
    expect(jsonLines(cached.stdout).at(-1)).toMatchObject({ran: 0, cached: 1, failed: 0});
    const plan = as(asOther, ['plan', 'more.yaml'], cwd);
    expect(plan).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('1 run')});
    expect((await readdir(join(cache, 'runs'))).filter((name) => /-more\.jsonl$/.test(name))).toEqual([]);
  },
  240_000,
);

test.skipIf(!works)(
  'a plan of a cache whose records cannot be read tells that, and not that everything runs',
  async () => {
    const cwd = await openFolder();
    await writeFile(join(cwd, 'old.yaml'), NOTED);
    expect(as(asOther, ['run', 'old.yaml'], cwd).code).toBe(0);
    const cache = join(cwd, 'cache');
    const [keys = ''] = await readdir(join(cache, 'keys'));
    const stderr = `store-no-rights: Cannot read the cache at ${cache}: no permission.\n${HINT}\n`;
    for (const [folder, mode] of [
      ['keys', 0],
      [join('keys', keys), 0],
      [join('keys', keys), 0o444],
    ] as const) {
      await chmod(join(cache, folder), mode);
      await rm(join(cache, 'index.sqlite'), {force: true});
      for (const command of ['plan', 'run'])
        expect(as(asOther, [command, 'old.yaml'], cwd), `${command} ${folder} ${mode}`).toEqual({
          code: 1,
          stdout: '',
          stderr,
        });
      await chmod(join(cache, folder), 0o755);
    }
  },
  240_000,
);
