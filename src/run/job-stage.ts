import {commandStage} from '../stage/command-stage.ts';
import {type Registry, type Stage, StageError} from '../stage/define-stage.ts';
import {loadStageFile} from '../stage/stage-file.ts';
import type {StageReference} from './protocol.ts';

/** Where a worker process finds stages. */
export interface StageSource {
  readonly registry: Registry;
  /** URL of the module that users' files know as `lossbasin`. */
  readonly library: string;
}

const loaded = new Map<string, Promise<Stage>>();

/** The stage that a job is about, in a worker process. */
export async function stageOfJob({name, origin}: StageReference, {registry, library}: StageSource): Promise<Stage> {
  switch (origin.from) {
    case 'registry': {
      const stage = registry.get(name);
      if (!stage) throw new Error(`Internal error: the worker knows no stage ${name}`);
      return stage;
    }
    case 'command':
      return commandStage(origin);
    case 'file': {
      const stage = loaded.get(origin.path) ?? load(origin.path, library);
      loaded.set(origin.path, stage);
      // What was planned is another stage than what would run, and its key must never hold the result.
      if ((await stage).version !== origin.closure)
        throw new StageError(`${origin.path}, or what it imports, changed while the pipeline ran.`, 'Run it again.');
      return stage;
    }
  }
}

async function load(path: string, library: string): Promise<Stage> {
  const stage = await loadStageFile(path, library);
  if (stage.ok) return stage.value;
  const [fault] = stage.error;
  throw new StageError(fault?.message ?? `${path} cannot be loaded.`, fault?.hint);
}
