import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {basin, jsonLines, scratchFolder} from '../cli/basin.ts';

const ESCAPE = '\u001b';
const PRINTED = String.raw`\033[31mred\033[0m\033[2J \033]0;title\a bell\a tab\there\n10 %%\r100 %%\n`;
const PIPELINE = `stages:
  loud: {run: [printf, ${JSON.stringify(PRINTED)}]}
  fails: {run: [sh, -c, 'printf "$0"; exit 3', ${JSON.stringify(PRINTED)}], in: {log: loud.log}}
`;
/** Whatever a terminal obeys, but for the ends of lines and tabs. */
const OBEYED = /[^\P{Cc}\n\t]/u;

test('what programs write moves no cursor, rings no bell and sets no title; what is stored is what they wrote', async () => {
  const cwd = await scratchFolder();
  await writeFile(join(cwd, 'p.yaml'), PIPELINE);
  const run = await basin(['run', 'p.yaml', '--verbose'], {cwd});
  expect(run.stdout).not.toMatch(OBEYED);
  expect(run.stdout).toContain('  │ loud: red  bell\\x07 tab\there\n');
  expect(run.stdout).toContain('  │ red  bell\\x07 tab\there\n');
  expect(run.stdout).toContain('  │ loud: 100 %\n');
  for (const instance of ['loud', 'fails']) {
    const {stdout} = await basin(['log', 'p.yaml', instance], {cwd});
    expect(stdout).toContain('  red  bell\\x07 tab\there\n');
    expect(stdout).not.toMatch(OBEYED);
  }
  const [json] = jsonLines((await basin(['log', 'p.yaml', 'loud', '--json'], {cwd})).stdout);
  expect(json).toMatchObject({lines: expect.arrayContaining([expect.stringContaining(`${ESCAPE}[2J`)])});
});
