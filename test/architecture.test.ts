import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, test} from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LADDER = ['base', 'artifact', 'stage', 'spec', 'graph', 'store', 'plan', 'run', 'report', 'results', 'cli'];
const STAGES_MAY_USE = ['base', 'artifact', 'stage'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Every import written under a folder, dynamic ones too; packages keep their bare name. */
function importsUnder(folder: string): readonly Import[] {
  return readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'})
    .map((name) => join(folder, name))
    .filter((file) => file.endsWith('.ts'))
    .flatMap((from) =>
      [
        ...readFileSync(join(ROOT, from), 'utf8').matchAll(
          /^(import type|export type|import|export)?[^'"\n]*?(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/gm,
        ),
      ].map(([, head = '', to = '']) => ({
        from,
        to: to.startsWith('.') ? normalize(join(dirname(from), to)) : to,
        typeOnly: head.endsWith('type'),
      })),
    );
}

const folderOf = (file: string): string => file.split('/')[1] ?? '';
const shown = ({from, to}: Import): string => `${from} -> ${to}`;

test('src/ imports only from its own rung of the ladder or a lower one', () => {
  const bad = importsUnder('src').filter(
    ({from, to}) =>
      from !== 'src/index.ts' && to.startsWith('src/') && LADDER.indexOf(folderOf(to)) > LADDER.indexOf(folderOf(from)),
  );
  expect(bad.map(shown)).toEqual([]);
  expect(importsUnder('src').every(({from}) => LADDER.includes(folderOf(from)) || from === 'src/index.ts')).toBe(true);
});

test('only src/cli and src/index.ts know the stages, and nothing knows the tests', () => {
  const knowsStages = importsUnder('src').filter(
    ({from, to}) => to.startsWith('stages/') && folderOf(from) !== 'cli' && from !== 'src/index.ts',
  );
  const knowsTests = [...importsUnder('src'), ...importsUnder('stages')].filter(({to}) => /^(test|bench)\//.test(to));
  expect([...knowsStages, ...knowsTests].map(shown)).toEqual([]);
});

test('stages see the contract, artifacts and base, and nothing else of src/', () => {
  const bad = importsUnder('stages').filter(({to}) => to.startsWith('src/') && !STAGES_MAY_USE.includes(folderOf(to)));
  expect(bad.map(shown)).toEqual([]);
});

test('a stage never imports another stage', () => {
  const isStage = (file: string): boolean => /^stages\/[^/]+\.ts$/.test(file);
  const bad = importsUnder('stages').filter(({to}) => isStage(to));
  expect(bad.map(shown)).toEqual([]);
});

test('TensorFlow.js is imported as types only, but for stages/tensor/', () => {
  const bad = [...importsUnder('src'), ...importsUnder('stages')].filter(
    ({from, to, typeOnly}) => to.startsWith('@tensorflow/') && !typeOnly && !from.startsWith('stages/tensor/'),
  );
  expect(bad.map(shown)).toEqual([]);
  expect(
    importsUnder('src')
      .filter(({to}) => to.startsWith('@tensorflow/'))
      .map(shown),
  ).toEqual([]);
});

test("Biome's ladder is this ladder", () => {
  const config: {
    overrides: {
      includes: string[];
      linter: {rules: {style: {noRestrictedImports: {options: {patterns: {group: string[]}[]}}}}};
    }[];
  } = JSON.parse(readFileSync(join(ROOT, 'biome.json'), 'utf8'));
  for (const [rung, folder] of LADDER.entries()) {
    const override = config.overrides.find(({includes}) => includes.includes(`src/${folder}/**`));
    const groups = override?.linter.rules.style.noRestrictedImports.options.patterns.flatMap(({group}) => group) ?? [];
    for (const above of LADDER.slice(rung + 1)) expect(groups, `src/${folder}`).toContain(`**/${above}/**`);
  }
});
