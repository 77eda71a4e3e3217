import {dirname, resolve} from 'node:path';
import type {Result} from '../base/result.ts';
import type {Faults} from '../spec/faults.ts';
import type {NodeSpec, Spec} from '../spec/spec.ts';
import type {Stage} from '../stage/define-stage.ts';
import {neededNodes} from './needed-nodes.ts';

/** Loads the stage of a file, given by its absolute path. */
export type LoadStage = (path: string) => Promise<Result<Stage>>;

/** Stages by the absolute path of their file; nothing where a fault of the file is reported. */
export type StageFiles = ReadonlyMap<string, Stage | undefined>;

/** Whether `uses` names a file of the user's and no built-in stage. */
const isStageFile = (name: string): boolean => /^\.{0,2}\//.test(name);

/** The file that a node uses, relative to the file that says so. */
export const stageFileOf = ({uses}: NodeSpec): string | undefined =>
  uses && isStageFile(uses.name) ? resolve(dirname(uses.at.source.name), uses.name) : undefined;

/** Loads every stage file that a pipeline needs, each once; what is wrong with one is reported once. */
export async function loadStageFiles(spec: Spec, load: LoadStage, faults: Faults): Promise<StageFiles> {
  const files = new Map<string, Stage | undefined>();
  for (const node of neededNodes(spec)) {
    const path = stageFileOf(node);
    if (path === undefined || files.has(path)) continue;
    const loaded = await load(path);
    files.set(path, loaded.ok ? loaded.value : undefined);
    if (loaded.ok) continue;
    for (const {code, message, hint, at} of loaded.error) faults.add(code, at ?? node.uses?.at, message, hint);
  }
  return files;
}
