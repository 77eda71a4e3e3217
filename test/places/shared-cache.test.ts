import {chmod, chown, mkdir, readdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';
import {as, asOther, works} from './other-user.ts';

/** `mktemp` makes a file that nobody else may read. */
const MADE = `stages:
  made: {run: [sh, -c, 't=$(mktemp ./x.XXXXXX); echo data >"$t"; mv "$t" "$0"', "\${out.o}"], out: {o: file}}
`;
const READ = `${MADE}  read: {run: [cp, "\${in.i}", "\${out.o}"], in: {i: made.o}, out: {o: file}}
`;

/** A folder with a cache that a group shares, in which one has run what he may read himself. */
async function shared(): Promise<string> {
  const cwd = await scratchFolder();
  await chmod(cwd, 0o755);
  await writeFile(join(cwd, 'made.yaml'), MADE);
  await writeFile(join(cwd, 'read.yaml'), READ);
  const cache = join(cwd, 'cache');
  await mkdir(cache);
  await chown(cache, process.getuid?.() ?? 0, asOther.length > 0 ? 65534 : (process.getgid?.() ?? 0));
  await chmod(cache, 0o2775);
  const before = process.umask(0o002);
  try {
    expect(await basin(['run', 'made.yaml'], {cwd})).toMatchObject({code: 0, stderr: ''});
  } finally {
    process.umask(before);
  }
  return cwd;
}

const as002 = (args: readonly string[], cwd: string) => {
  const before = process.umask(0o002);
  try {
    return as(asOther, args, cwd);
  } finally {
    process.umask(before);
  }
};

test.skipIf(!works)('what a program made for itself alone is read by all who share the cache', async () => {
  const cwd = await shared();
  const run = as002(['run', 'read.yaml', '--json'], cwd);
  expect(run, run.stdout).toMatchObject({code: 0, stderr: ''});
  expect(run.stdout).not.toContain('"warning"');
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({ran: 1, cached: 1, failed: 0});
});

test.skipIf(!works)('a payload that may not be read is told as that, and not as damaged', async () => {
  const cwd = await shared();
  const blobs = join(cwd, 'cache', 'blobs');
  for (const name of await readdir(blobs, {recursive: true})) {
    const path = join(blobs, name);
    if ((await stat(path)).isFile()) await chmod(path, 0);
  }
  const run = as002(['run', 'read.yaml', '--json'], cwd);
  expect(run.code).toBe(1);
  expect(run.stdout).not.toContain('"warning"');
  expect(jsonLines(run.stdout)).toContainEqual(
    expect.objectContaining({
      ...{event: 'instance-finished', id: 'read', outcome: 'failed'},
      failure: {
        message: `Cannot read the cache at ${join(cwd, 'cache')}: no permission.`,
        hint: 'Make it yours with chown or chmod. Or name another folder with --cache DIR or BASIN_CACHE.',
      },
    }),
  );
  expect(jsonLines(run.stdout).at(-1)).toMatchObject({ran: 0, cached: 1, failed: 1});
});
