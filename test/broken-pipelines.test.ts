import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test, vi} from 'vitest';
import {planCommand} from '../src/cli/commands/plan.ts';

// Each NN-name.yaml is refused with all of NN-name.txt, which was read line by line: what is wrong, where, what to do, the nearest name.
// A first line `# basin plan FILE …` gives the options. To see what one says now: cd test/broken && ../../bin/basin plan NN-name.yaml

const FOLDER = join(import.meta.dirname, 'broken');
const from = process.cwd();
beforeAll(() => process.chdir(FOLDER));
afterAll(() => process.chdir(from));

/** Options of a first line `# basin plan FILE --set a=1`; each may be repeated. */
function optionsOf(text: string): {set: string[]; params: string[]; resources: string[]} {
  const options = {set: [], params: [], resources: []} as Record<string, string[]>;
  for (const [, name = '', value = ''] of text.split('\n', 1)[0]?.matchAll(/--([a-z]+) (\S+)/g) ?? [])
    options[name]?.push(value);
  const {set = [], params = [], resources = []} = options;
  return {set, params, resources};
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

test.for(files)('%s', async (file) => {
  let told = '';
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told += text;
    return true;
  });
  try {
    const cache = join(FOLDER, 'cache');
    expect(await planCommand(file, {...optionsOf(readFileSync(file, 'utf8')), cache})).toBe(2);
    expect(existsSync(cache)).toBe(false);
  } finally {
    stderr.mockRestore();
  }
  expect(told).toBe(readFileSync(file.replace('.yaml', '.txt'), 'utf8'));
});

test('there are at least sixty', () => {
  expect(files.length).toBeGreaterThanOrEqual(60);
});
