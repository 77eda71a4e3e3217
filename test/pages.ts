import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

export const ROOT = join(import.meta.dirname, '..');

/** The pages that people read, from the root of the repository on. */
export const PAGES: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'pipelines/README.md',
  ...readdirSync(join(ROOT, 'docs'), {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** Text under the headings of a name, second or third level, of all pages under a path: from each to the next of its level or above. */
export function sections(under: string, heading: string): readonly string[] {
  const own = (page: string): readonly string[] => {
    const parts = read(page).split(/^(?=#{2,3} )/m);
    const places = parts.flatMap((part, place) =>
      part.slice(part.indexOf(' ') + 1).startsWith(`${heading}\n`) ? [place] : [],
    );
    return places.map((place) => {
      const level = parts[place]?.indexOf(' ') ?? 0;
      const end = parts.findIndex((part, other) => other > place && part.indexOf(' ') <= level);
      return parts.slice(place, end === -1 ? undefined : end).join('');
    });
  };
  return PAGES.filter((page) => page.startsWith(under)).flatMap(own);
}

/** The names in backticks. */
export const named = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(/`([\w-]+)`/g)].map(([, name = '']) => name));
