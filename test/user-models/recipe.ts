import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {scratchFolder} from '../cli/basin.ts';

/** A recipe's TypeScript file and its pipeline, `study.yaml`, as they are written, in a folder outside of the package. */
export async function recipeFolder(heading: string, file: string): Promise<string> {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'recipes.md'), 'utf8');
  const section = new RegExp(`^## ${heading}\\n(.*?)^## `, 'ms').exec(page)?.[1] ?? '';
  const [code = '', pipeline = ''] = [...section.matchAll(/^```(?:ts|yaml)\n(.*?)^```/gms)].map(
    ([, text = '']) => text,
  );
  const folder = await scratchFolder();
  await writeFile(join(folder, file), code);
  await writeFile(join(folder, 'study.yaml'), pipeline);
  return folder;
}

/** A file of a folder with one text replaced, which must be there. */
export async function editFile(path: string, before: string, after: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  if (!text.includes(before)) throw new Error(`${path} has no ${before}`);
  await writeFile(path, text.replace(before, after));
}
