import {expect, test} from 'vitest';
import {basin, scratchFolder} from '../cli/basin.ts';
import {running, stage, write} from './project.ts';

/** A stage whose value a thread works out. */
const threaded = (url: string): string =>
  stage("import {once} from 'node:events';\nimport {Worker} from 'node:worker_threads';", 'value')
    .replace(
      'run: async () => (',
      `run: async () => {
    const thread = new Worker(${url});
    const [value] = await once(thread, 'message');
    return (`,
    )
    .replace('})\n});', '});\n  },\n});')
    .replace('}]}),', '}]});\n  },');

const FILES = {
  'mine.ts': threaded("new URL('./thread.mjs', import.meta.url)"),
  'resolved.ts': threaded("new URL(import.meta.resolve('#thread'))"),
  'package.json': JSON.stringify({imports: {'#thread': './thread.mjs'}}),
  'thread.mjs': `import {readFileSync} from 'node:fs';
import {parentPort} from 'node:worker_threads';
import {part} from './part.mjs';
const there = new URL("./later.txt", import.meta.url);
parentPort.postMessage(part + Number(readFileSync(new URL(\`./number.txt\`, import.meta.url), 'utf8')));
`,
  'part.mjs': 'export const part = 1;\n',
  'number.txt': '10\n',
  'p.yaml': 'stages:\n  mine: {uses: ./mine.ts}\n  resolved: {uses: ./resolved.ts}\n',
};

test('what a stage takes by its URL is in its key: a thread with all that it imports, and files that are read', async () => {
  const cwd = await scratchFolder();
  await write(cwd, FILES);
  const run = (): Promise<unknown> => basin(['run', 'p.yaml'], {cwd});
  expect(await run()).toMatchObject({code: 0, stderr: '', stdout: expect.stringContaining('ran 2')});
  expect(await running(cwd)).toEqual([]);
  const edits = {
    'part.mjs': 'export const part = 2;\n',
    'number.txt': '20\n',
    'later.txt': '',
    'thread.mjs': `${FILES['thread.mjs']}//\n`,
  };
  for (const [name, text] of Object.entries(edits)) {
    await write(cwd, {[name]: text});
    expect(await running(cwd), name).toEqual(['mine', 'resolved']);
    if (name in FILES)
      await write(cwd, {
        [name]: name === 'part.mjs' ? FILES['part.mjs'] : name === 'number.txt' ? '10\n' : FILES['thread.mjs'],
      });
  }
});

test('what a thread requires is refused, but for what is built in, and so is what it works out to import', async () => {
  const cwd = await scratchFolder();
  const thread = "const {parentPort} = require('node:worker_threads');\n";
  const names = ['built-in', 'helper', 'computed'];
  await write(cwd, {
    ...Object.fromEntries(names.map((name) => [`${name}.ts`, threaded(`new URL('./${name}.cjs', import.meta.url)`)])),
    'built-in.cjs': `${thread}parentPort.postMessage(1);\n`,
    'helper.cjs': `${thread}parentPort.postMessage(require('./part.cjs'));\n`,
    'computed.cjs': `${thread}import('./' + 'part.cjs').then(parentPort.postMessage);\n`,
    'p.yaml': ['stages:', ...names.map((name) => `  ${name}: {uses: ./${name}.ts}`)].join('\n'),
  });
  const {code, stderr} = await basin(['plan', 'p.yaml'], {cwd});
  expect(code).toBe(2);
  expect(
    stderr
      .split('\n\n')
      .slice(0, -1)
      .map((fault) => fault.split('\n').slice(0, 2)),
  ).toMatchObject([
    ['helper.cjs:2:33 bad-stage-file', '"./part.cjs" is loaded with require, and what that loads is in no key.'],
    ['computed.cjs:2:1 bad-stage-file', 'This import is made while the stage runs.'],
  ]);
});

test('a file of a thread that changes while the pipeline runs fails what runs it, and nothing of it is stored', async () => {
  const cwd = await scratchFolder();
  const edit = "appendFileSync(new URL('./part.mjs', import.meta.url), '// edited\\n');";
  const edited = FILES['mine.ts'].replace('return (', `${edit}\n    return (`);
  await write(cwd, {...FILES, 'mine.ts': `import {appendFileSync} from 'node:fs';\n${edited}`});
  const {code, stdout, stderr} = await basin(['run', 'p.yaml', '--target', 'mine'], {cwd});
  expect(code, stdout + stderr).toBe(1);
  expect(stdout + stderr).toMatch(/The file \S.*part\.mjs changed while the pipeline ran\.\s+Run it again\./);
  expect(await running(cwd)).toEqual(['mine', 'resolved']);
});
