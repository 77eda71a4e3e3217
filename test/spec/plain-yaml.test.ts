import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {expect, test} from 'vitest';
import {Faults} from '../../src/spec/faults.ts';
import {readPlainYaml} from '../../src/spec/plain-yaml.ts';
import {readAnyYaml} from '../../src/spec/read-tree.ts';
import type {Tree} from '../../src/spec/tree.ts';

const RUNS = process.env.BASIN_ALL ? 50_000 : 2_000;

/** What the fast reader makes of a text, when it reads it, is what the YAML package makes of it, to the last position. */
function agrees(text: string): Tree | undefined {
  const source = {name: 'pipeline.yaml', text};
  const plain = readPlainYaml(source);
  if (plain === undefined) return undefined;
  const faults = new Faults();
  const any = readAnyYaml(source, faults);
  expect(faults.all, text).toEqual([]);
  expect(plain, text).toEqual(any);
  return plain;
}

/** Pieces of which some texts are plain, and most are somewhere on the border. */
const PIECES = [
  'a¦b-c¦d.e¦_f¦1¦1.5¦-2¦-0¦1e3¦1e-7¦0x1F¦0o7¦.5¦5.¦+1¦-.inf¦.nan¦~¦12345678901234567890¦0.1234567890123456789',
  'null¦Null¦true¦True¦false¦yes¦on¦__proto__¦<<¦8ep¦2020-01-01¦a b¦a  b¦é¦→¦hf:google/vit¦a:b¦$x¦$'.concat('{x}'),
  `"¦'¦''¦""¦"a"¦'a'¦"a\\n"¦'it''s'¦"a": 1¦"a":1¦*a¦&a¦!t¦!¦|¦>¦%¦@¦\`¦?¦? a¦- ¦-¦--- ¦---¦...`,
  '{¦}¦[¦]¦{}¦[]¦{ }¦{a: 1}¦{a: 1, b: 2}¦[1, 2]¦[a, [b]]¦{a: [1], b: {c: 2}}¦{a:1}¦{a: }¦{a}¦[a: 1]¦[a,b]¦{a: 1,}',
  ':¦: ¦,¦, ¦ ¦  ¦#¦ # c¦# c¦#c¦\t¦;¦~a¦a#b¦a #b¦a?¦a~',
  '\n¦\n\n¦\n ¦\n  ¦\n    ¦\n      ¦\r\n¦\n# c\n¦\n  # c\n¦\n    # c\n  ¦\n  - ¦\n- ¦\na: ¦\nb: ¦\n  a: ¦\n  c: ¦\n    d: ',
].flatMap((line) => line.split('¦'));
const borderText = fc.array(fc.constantFrom(...PIECES), {maxLength: 14}).map((pieces) => `a: ${pieces.join('')}`);

const scalar = fc.constantFrom(
  '1',
  '-2.5',
  '1e-3',
  'text',
  'two words',
  '8ep',
  '"q {x}, #: y"',
  "'s'",
  'a-b.c',
  'hf:g/v',
  'true',
  'null',
  '$x',
  'a / b',
);
const key = fc.constantFrom('a', 'b', 'name', 'c-0', 'd.e', '1', 'yes');
const flow = fc.letrec<{value: string}>((tie) => ({
  value: fc.oneof(
    {maxDepth: 3},
    scalar,
    fc.array(tie('value'), {maxLength: 3}).map((items) => `[${items.join(', ')}]`),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), {maxLength: 3, selector: ([name]) => name})
      .map((entries) => `{${entries.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
  ),
})).value;
const ending = fc.constantFrom('', '', '', ' ', '  # why', '\n', '\n# about it', '\n  # about it');
type Block = {readonly lines: readonly string[]};
const block = fc.letrec<{map: Block}>((tie) => ({
  map: fc
    .uniqueArray(
      fc.tuple(
        key,
        fc.oneof(
          {maxDepth: 3},
          flow,
          fc.array(fc.oneof({maxDepth: 3}, flow, tie('map')), {minLength: 1, maxLength: 3}),
          tie('map'),
        ),
        ending,
      ),
      {minLength: 1, maxLength: 4, selector: ([name]) => name},
    )
    .map((entries) => ({
      lines: entries.flatMap(([name, value, end]) => {
        if (typeof value === 'string') return [`${name}: ${value}${end}`];
        const inner =
          'lines' in value
            ? value.lines
            : value.flatMap((item) =>
                typeof item === 'string' ? [`- ${item}`] : [`- ${item.lines.join('\n').replaceAll('\n', '\n  ')}`],
              );
        return [`${name}:${end}`, ...inner.flatMap((line) => line.split('\n')).map((line) => `  ${line}`)];
      }),
    })),
})).map;

test('what the fast reader reads of texts on the border of its subset, the YAML package reads so', () => {
  let plain = 0;
  fc.assert(
    fc.property(borderText, (text) => {
      if (agrees(text)) plain += 1;
    }),
    {numRuns: RUNS, seed: 1},
  );
  expect(plain).toBeGreaterThan(RUNS / 100);
});

test('what the fast reader reads of blocks, brackets and comments, the YAML package reads so', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      block,
      fc.constantFrom('', '\n', '# head\n\n', '\n\n  # tail\n', '\n# tail'),
      fc.boolean(),
      (map, more, before) => {
        const body = map.lines.join('\n');
        if (agrees(before ? `${more}${body}` : `${body}${more}`)) plain += 1;
      },
    ),
    {numRuns: RUNS, seed: 2},
  );
  expect(plain).toBeGreaterThan(RUNS / 5);
});

test('every pipeline that comes with basin is read the same by both', () => {
  const folder = join(import.meta.dirname, '..', '..', 'pipelines');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(agrees(readFileSync(join(folder, file), 'utf8')), file).toBeDefined();
});
