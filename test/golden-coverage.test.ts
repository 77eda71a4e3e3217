import {globSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';

const TESTS = import.meta.dirname;
const golden = z
  .record(z.string(), z.record(z.string(), z.json()))
  .parse(JSON.parse(readFileSync(join(TESTS, 'golden', 'golden.json'), 'utf8')));

/** The tests that read golden.json, by themselves or through what reads it for several. */
const sources = globSync('**/*.test.ts', {cwd: TESTS})
  .map((path) => readFileSync(join(TESTS, path), 'utf8'))
  .filter((text) => /'golden\.json'|golden\/golden\.json|training\/golden\.ts|'\.\/golden\.ts'/.test(text));

/** Whether a text has a name as a word, or as a key in quotes. */
const names = (text: string, name: string): boolean =>
  new RegExp(`(?<![\\w$-])${name.replace(/[^\w\s]/g, '\\$&')}(?![\\w$-])`).test(text);

/** Words say how numbers were made; everything else is a number to be met, or what it was computed from. */
const isNumeric = (value: unknown): boolean => typeof value === 'number' || typeof value === 'object';

test.for(Object.entries(golden))(
  'golden.json: every number of %s is used by a test that reads it',
  ([vector, entries]) => {
    const readers = sources.filter((text) => names(text, vector));
    expect(readers.length, `no test names ${vector}`).toBeGreaterThan(0);
    const forgotten = Object.entries(entries).flatMap(([key, value]) =>
      isNumeric(value) && !readers.some((text) => names(text, key)) ? [key] : [],
    );
    expect(forgotten).toEqual([]);
  },
);
