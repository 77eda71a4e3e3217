import {cpSync, mkdirSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Engine} from './engine.ts';
import {timed} from './measure.ts';
import {STUDY, type Study} from './tasks.ts';

export interface Scenario {
  readonly name: string;
  /** How many tasks have to run, and no fewer can. */
  readonly ideal: number;
  readonly study: Study;
  /** What else happens, in a folder where all is up to date. */
  readonly event?: 'output-deleted' | 'moved';
}

export const SCENARIOS: readonly Scenario[] = [
  {name: 'comment edit', ideal: 0, study: {...STUDY, comment: 'of something'}},
  {name: 'one parameter', ideal: 4, study: {...STUDY, warmup: 200}},
  {name: 'seed of B', ideal: 13, study: {...STUDY, seedB: 7}},
  {name: 'alphas 11 to 21', ideal: 11, study: {...STUDY, alphas: 21}},
  {name: 'a new keep ratio', ideal: 2, study: {...STUDY, keeps: [...STUDY.keeps, 50]}},
  {name: 'upstream rerun to equal bytes', ideal: 1, study: {...STUDY, base: 13}},
  {name: 'output deleted', ideal: 0, study: STUDY, event: 'output-deleted'},
  {name: 'moved to another folder', ideal: 0, study: STUDY, event: 'moved'},
];

/** Tasks that an engine runs in each scenario, each in the folder as it was when all was up to date. */
export function* executed(
  engine: Engine,
  folder: string,
): Generator<{scenario: Scenario; ran: number; seconds: number}> {
  const {writeStudy} = engine;
  if (!writeStudy) return;
  const [work, kept, elsewhere] = [join(folder, 'work'), join(folder, 'kept'), join(folder, 'elsewhere')];
  mkdirSync(work, {recursive: true});
  writeStudy(work, STUDY);
  engine.ran(work, timed(engine.command, work).stdout);
  renameSync(work, kept);
  for (const scenario of SCENARIOS) {
    const here = scenario.event === 'moved' ? elsewhere : work;
    cpSync(kept, here, {recursive: true, preserveTimestamps: true});
    writeStudy(here, scenario.study);
    if (scenario.event === 'output-deleted') engine.deleteOutput(here);
    const {stdout, seconds} = timed(engine.command, here);
    yield {scenario, ran: engine.ran(here, stdout), seconds};
    rmSync(here, {recursive: true, force: true});
  }
}
