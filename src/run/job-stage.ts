import {commandStage} from '../stage/command-stage.ts';
import type {Registry, Stage} from '../stage/define-stage.ts';
import type {StageReference} from './protocol.ts';

/** The stage that a job is about, in a worker process. */
export async function stageOfJob({name, origin}: StageReference, registry: Registry): Promise<Stage> {
  switch (origin.from) {
    case 'registry': {
      const stage = registry.get(name);
      if (!stage) throw new Error(`Internal error: the worker knows no stage ${name}`);
      return stage;
    }
    case 'command':
      return commandStage(origin);
    case 'file':
      throw new Error('Internal error: not yet');
  }
}
