import fc from 'fast-check';
import {expect, test} from 'vitest';
import {stringify} from 'yaml';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {countingStages} from '../rig/counting-stages.ts';

const words = fc.array(
  fc.constantFrom(
    'zz',
    ' ',
    '  ',
    '\n',
    '\n\n',
    "'",
    '"',
    '\\',
    '$',
    '{',
    '}',
    '#',
    ': ',
    '- ',
    'é',
    '😀',
    '\t',
    '\u00a0',
    'zz}',
  ),
  {maxLength: 12},
);
const forms = ['BLOCK_LITERAL', 'BLOCK_FOLDED', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'PLAIN'] as const;

test('in a text of any form the caret stands under the name inside the braces', () => {
  const places = fc.record({
    before: words.map((parts) => parts.join('').replaceAll('${', '$ {')),
    after: words.map((parts) => parts.join('').replaceAll('${', '$ {')),
    blank: fc.constantFrom('', ' ', '\n', ' \n  '),
    form: fc.constantFrom(...forms),
    lineWidth: fc.constantFrom(0, 20, 40),
    lineEnd: fc.constantFrom('\n', '\r\n'),
  });
  fc.assert(
    fc.property(places, ({before, after, blank, form, lineWidth, lineEnd}) => {
      const text = `${before.replace(/\$+$/, '')}\${${blank}zz${blank}}${after}`;
      const stages = {n: {uses: 'number', with: {value: text}}};
      const yaml = stringify({stages}, {defaultStringType: form, defaultKeyType: 'PLAIN', lineWidth});
      const written = yaml.replaceAll('\n', lineEnd);
      const read = readPipeline({path: 'p.yaml', text: written}, countingStages);
      const fault = read.ok ? undefined : read.error.find(({code}) => code === 'unknown-param-reference');
      const {start = 0, end = 0} = fault?.at?.span ?? {};
      // double quotes go on in another line in the middle of a word
      const joined = (text: string): string => text.replaceAll(/\\\r?\n\s*/g, '');
      expect(joined(written.slice(start, end))).toBe('zz');
      expect(joined(written.slice(0, start))).toMatch(/\$\{(?:\s|\\[n ])*$/);
    }),
    {numRuns: 300},
  );
});
