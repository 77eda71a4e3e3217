import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {onTestFinished} from 'vitest';
import {formatDiagnostic} from '../../src/base/diagnostic.ts';
import type {Graph} from '../../src/graph/graph.ts';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {countingStages} from './counting-stages.ts';
import {paramsOf} from './read-text.ts';

export type Files = Readonly<Record<string, string>>;

/** Reads `main.yaml` among some files in a folder of their own; faults as a person reads them, without that folder's name. */
export async function read(files: Files, set: readonly string[] = []): Promise<Graph | string> {
  const folder = await mkdtemp(join(tmpdir(), 'basin-use-'));
  onTestFinished(() => rm(folder, {recursive: true}));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), {recursive: true});
    await writeFile(join(folder, name), text);
  }
  const result = readPipeline({path: join(folder, 'main.yaml'), text: files['main.yaml'] ?? '', set}, countingStages);
  return result.ok ? result.value : result.error.map(formatDiagnostic).join('\n\n').replaceAll(`${folder}/`, '');
}

export const idsAndParams = (graph: Graph | string) => (typeof graph === 'string' ? graph : paramsOf(graph));
