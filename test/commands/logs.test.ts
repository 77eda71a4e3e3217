import {readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {digestOf} from '../../src/base/digest.ts';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';
import {PipelineRig, type RigRun} from '../rig/pipeline-rig.ts';
import {bytesOf, failures} from './told.ts';

const linesOf = ({events}: RigRun, id: string): readonly string[] =>
  events.flatMap((event) => (event.event === 'log' && event.id === id ? [event.line] : []));

const ODD = `
stages:
  odd: {run: [printf, '\\200\\201\\377\\r\\nabc\\rdef\\n\\n\\303\\244 end']}
  read: {run: [cp, "\${in.log}", "\${out.copy}"], in: {log: odd.log}, out: {copy: file}}
  fails: {run: [sh, -c, 'printf "no newline"; exit 3']}
`;

test('the log is what was written, byte by byte; lines of it are told', async () => {
  await using rig = await PipelineRig.create();
  const run = await rig.run(ODD, {onFailure: 'keep-going'});
  const written = Buffer.from('\x80\x81\xff\r\nabc\rdef\n\n\xc3\xa4 end', 'latin1');
  expect(Buffer.from(await bytesOf(rig, run, 'odd', 'log')).equals(written)).toBe(true);
  expect(Buffer.from(await bytesOf(rig, run, 'read', 'copy')).equals(written)).toBe(true);
  expect(linesOf(run, 'odd')).toEqual(['\ufffd\ufffd\ufffd', 'abc', 'def', '', 'ä end']);
  expect(failures(run)).toEqual({fails: 'sh ended with exit code 3.\nIts last lines are shown.\nno newline'});
});

const anEvent = z.looseObject({event: z.string(), id: z.string().optional(), line: z.string().optional()});
const eventsOf = (stdout: string) => jsonLines(stdout).map((line) => anEvent.parse(line));

const LARGE = `
stages:
  wide: {run: [sh, -c, 'head -c 10000000 /dev/zero | tr "\\0" x; echo; echo end']}
  long: {run: [seq, "100000"]}
  fails: {run: [sh, -c, 'seq 100000; head -c 10000000 /dev/zero | tr "\\0" x; exit 3']}
`;

test('a log of any size is kept whole, and of a line and of many lines as much is told as somebody reads', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), LARGE);
  const run = await basin(['run', 'p.yaml', '--json', '--verbose', '--keep-going'], {cwd});
  const events = eventsOf(run.stdout);
  const told = (id: string): readonly string[] =>
    events.flatMap((event) => (event.event === 'log' && event.id === id ? [event.line ?? ''] : []));
  expect(told('wide')).toEqual([`${'x'.repeat(2000)}… (9998000 more bytes)`, 'end']);
  const [long, gaps] = [told('long'), told('long').filter((line) => line.startsWith('('))];
  expect(long.length).toBeLessThan(60_000);
  expect(long[0]).toBe('1');
  expect(long.slice(-20)).toEqual(Array.from({length: 20}, (_, at) => String(99_981 + at)));
  expect(gaps[0]).toMatch(/^\(\d+ lines left out: .* "log" has all of it once it has ended well\)$/);
  expect(long.length - gaps.length + gaps.reduce((sum, gap) => sum + Number(gap.match(/\d+/)), 0)).toBe(100_000);
  expect(events.find(({event, id}) => event === 'instance-finished' && id === 'fails')).toMatchObject({
    failure: {
      message: 'sh ended with exit code 3.',
      logTail: [
        ...Array.from({length: 19}, (_, at) => String(99_982 + at)),
        expect.stringMatching(/^x{2000}… \(9998000 more bytes\)$/),
      ],
    },
  });
  const [log = ''] = await readdir(join(cwd, 'cache', 'runs'));
  expect((await readFile(join(cwd, 'cache', 'runs', log))).length).toBeLessThan(10_000_000);

  const whole = (await basin(['log', 'p.yaml', 'long'], {cwd})).stdout.split('\n');
  expect(whole.slice(1, -2)).toEqual(Array.from({length: 100_000}, (_, at) => `  ${at + 1}`));
  const json = await basin(['log', 'p.yaml', 'long', '--json'], {cwd});
  expect(JSON.parse(json.stdout).lines).toHaveLength(100_002);
  const replayed = await basin(['run', 'p.yaml', '--target', 'long', '--json', '--verbose'], {cwd});
  expect(eventsOf(replayed.stdout).filter(({event}) => event === 'log').length).toBeLessThan(60_000);
});

const SAY = String.raw`for i in $(seq 10); do
  head -c 65000 /dev/zero; echo
  head -c 65000 /dev/zero | tr '\0' '\1'; echo
done
yes | head -c 2000000
printf '\033[1mx\r\n\303\244'
`;

test('a log of long lines, and of many short ones, is written out as it is read, what a terminal would obey with it', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'say.sh'), SAY);
  await writeFile(join(cwd, 'p.yaml'), 'stages: {wide: {run: [sh, say.sh], files: [say.sh]}}');
  expect((await basin(['run', 'p.yaml'], {cwd})).code).toBe(0);
  const {stdout} = await basin(['log', 'p.yaml', 'wide'], {cwd});
  const [head, ...lines] = stdout.split('\n');
  expect(head).toBe('wide, stored with its result:');
  const wide = Array.from({length: 20}, (_, at) => `  ${(at % 2 === 0 ? '\\x00' : '\\x01').repeat(65_000)}`);
  expect(lines.slice(0, 20).map(digestOf)).toEqual(wide.map(digestOf));
  expect(lines.slice(20, 1_000_020).every((line) => line === '  y')).toBe(true);
  expect(lines.slice(1_000_020)).toEqual(['  x', '  ä', expect.stringMatching(/^ran after/), '']);
  const json = await basin(['log', 'p.yaml', 'wide', '--json'], {cwd});
  const {instance, lines: raw} = z
    .object({instance: z.string(), lines: z.array(z.string())})
    .parse(JSON.parse(json.stdout));
  expect([instance, raw.length, raw[1]?.length, raw.at(-3)]).toEqual(['wide', 1_000_024, 65_002, '  \x1b[1mx']);
}, 120_000);

test('of a result whose last run failed, that run is shown before the one that is stored', async () => {
  const cwd = await scratchFolder();
  const flag = join(cwd, 'flag');
  const script = `if [ -e "${flag}" ]; then echo bad detail; exit 3; fi; echo good; echo a >"$0"`;
  const node = `run: [sh, -c, '${script}', "\${out.o}"], out: {o: file}`;
  await writeFile(join(cwd, 'p.yaml'), `stages:\n  a: {${node}, retries: 1}\n  b: {run: [echo, b]}\n`);
  await writeFile(join(cwd, 'other.yaml'), `stages:\n  c: {${node}}\n`);
  const log = async (file: string, id: string): Promise<readonly string[]> => {
    const {stdout} = await basin(['log', file, id], {cwd});
    return stdout
      .replaceAll(/after [\d.]+ s/g, 'after N s')
      .replaceAll(/[\dTZ.-]+-(\w+\.jsonl)/g, '$1')
      .split('\n');
  };
  const [stored, last] = [
    ['stored with its result:', '  good', 'ran after N s'],
    ['failed after N s', '  sh ended with exit code 3.', '  │ bad detail'],
  ];
  const failed = ['started: has not run before', '  bad detail', ...last];
  const forced = failed
    .with(0, 'started: asked for with --force')
    .toSpliced(2, 0, 'started: asked for with --force', '  bad detail');

  // What failed before there was a result says nothing of it.
  await writeFile(flag, '');
  await basin(['run', 'other.yaml'], {cwd});
  expect(await log('other.yaml', 'c')).toEqual(['c, other.jsonl:', ...failed, '']);
  await rm(flag);
  await basin(['run', 'p.yaml'], {cwd});
  expect(await log('p.yaml', 'a')).toEqual(['a, stored with its result:', ...stored.slice(1), '']);
  expect(await log('other.yaml', 'c')).toEqual(['c, stored with its result:', ...stored.slice(1), '']);

  await writeFile(flag, '');
  expect((await basin(['run', 'p.yaml', '--force', 'a', '--force', 'b'], {cwd})).code).toBe(1);
  const both = ['a, p.jsonl:', ...forced, ...stored, ''];
  expect(await log('p.yaml', 'a')).toEqual(both);
  expect((await log('p.yaml', 'b'))[0]).toBe('b, stored with its result:');
  await basin(['run', 'p.yaml'], {cwd});
  expect(await log('p.yaml', 'a')).toEqual(both);

  await rm(flag);
  await basin(['run', 'p.yaml', '--force', 'a'], {cwd});
  expect(await log('p.yaml', 'a')).toEqual(['a, stored with its result:', ...stored.slice(1), '']);
}, 120_000);
