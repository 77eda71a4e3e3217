import {cpSync, existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, STACK, scratchFolder} from './basin.ts';

// The corpus of test/broken is read in this process by its own test; here a few of it through the real command.

const CORPUS = join(import.meta.dirname, '..', 'broken');

test.concurrent.for(['06-misspelt-parameter', '21-cycle', '77-fault-in-a-file-that-is-used', '84-everything-at-once'])(
  '%s is refused by run with what its file says, and by plan --json with the same places; nothing is written',
  async (name, {onTestFinished}) => {
    const cwd = await scratchFolder(onTestFinished);
    cpSync(CORPUS, cwd, {recursive: true});
    const file = `${name}.yaml`;
    const expected = readFileSync(join(CORPUS, `${name}.txt`), 'utf8');

    const run = await basin(['run', file], {cwd});
    expect(run).toEqual({code: 2, stdout: '', stderr: expected});
    expect(run.stderr).not.toMatch(STACK);

    const json = await basin(['plan', file, '--json'], {cwd});
    expect(json).toMatchObject({code: 2, stderr: ''});
    const {errors}: {errors: Record<string, unknown>[]} = JSON.parse(json.stdout);
    const places = errors.map(({file: at, line, column, code}) => `${at}:${line}:${column} ${code}`);
    expect(places).toEqual(expected.match(/^\S+\.yaml:\d+:\d+ [a-z-]+$/gm));
    for (const {message, hint} of errors) {
      expect(expected).toContain(`\n${message}\n`);
      expect(expected).toContain(`\n${hint}\n`);
    }
    expect(existsSync(join(cwd, 'cache'))).toBe(false);
  },
);
