import {readdir, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';

const STAGE = `import {chmod, writeFile} from 'node:fs/promises';
import {defineStage, z} from 'lossbasin';

export default defineStage({
  name: 'untidy',
  doc: 'Says what it finds of its process, and leaves it changed.',
  params: z.strictObject({n: z.int().describe('Which one.')}),
  inputs: {},
  outputs: {
    summary: {kind: 'summary', doc: 'What it found.', columns: {token: 'utf8', given: 'utf8', folder: 'utf8', umask: 'utf8'}},
    file: {kind: 'file', doc: 'A file that it wrote.', extension: 'txt'},
  },
  computes: 'plain',
  async run({params: {n}, services}) {
    const {TOKEN = 'none', GIVEN = 'none'} = process.env;
    const found = {token: TOKEN, given: GIVEN, folder: process.cwd(), umask: process.umask().toString(8)};
    if (n === 2) process.env = {};
    Object.assign(process.env, {TOKEN: 'of ' + n, DATA: '/data/leaked', PATH: '/nowhere', HOME: '/leaked'});
    delete process.env.GIVEN;
    process.chdir('/');
    process.umask(0o777);
    const path = (await services.folder()) + '/file.txt';
    await writeFile(path, 'n ' + n);
    await chmod(path, 0o644);
    return {summary: [found], file: {path}};
  },
});
`;

const PIPELINE = `stages:
  a: {uses: ./untidy.ts, sweep: {n: [1, 2, 3]}}
  b:
    run: [sh, -c, 'echo "$DATA $HOME $(umask)" > $1', sh, "\${out.found}"]
    in: {of: {from: a.summary, over: [n]}}
    out: {found: {kind: file, extension: txt}}
    env: [DATA]
`;

/** The modes of all blobs of a cache. */
async function modes(cache: string): Promise<ReadonlySet<string>> {
  const files = await readdir(join(cache, 'blobs'), {recursive: true, withFileTypes: true});
  const blobs = files.filter((file) => file.isFile());
  const found = await Promise.all(blobs.map(({parentPath, name}) => stat(join(parentPath, name))));
  return new Set(found.map(({mode}) => (mode & 0o777).toString(8)));
}

test('what a stage sets of its process is gone before anything else runs in it', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'untidy.ts'), STAGE);
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const env = {DATA: '/data/mine', HOME: cwd, GIVEN: 'yes'};
  const place = {cwd, env, cache: join(cwd, 'cache')};
  const ran = await basin(['run', 'p.yaml', '--jobs', '1'], place);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const {stdout} = await basin(['show', 'p.yaml', 'a.summary', '--format', 'json'], place);
  const umask = (process.umask() | 0o002).toString(8);
  expect(JSON.parse(stdout)).toEqual([1, 2, 3].map((n) => ({n, token: 'none', given: 'yes', folder: cwd, umask})));
  const found = `/data/mine ${cwd} ${umask.padStart(4, '0')}\n`;
  expect((await basin(['show', 'p.yaml', 'b.found'], place)).stdout).toBe(found);
  expect(await modes(place.cache)).toEqual(new Set(['444']));

  const alone = await basin(['run', 'p.yaml', '--force', 'b'], place);
  expect(alone.code, alone.stdout + alone.stderr).toBe(0);
  expect((await basin(['show', 'p.yaml', 'b.found'], place)).stdout).toBe(found);
});
