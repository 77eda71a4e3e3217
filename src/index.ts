/**
 * basin as a library: `import {plan, run, explain, table, defineStage} from 'lossbasin'`. What a stage's author needs is here at once; what
 * runs pipelines is loaded when it is called.
 */

import type {} from '../stages/tensor/library.ts';
import type {Rows} from './artifact/kinds.ts';
import type {
  ExplainedInstance,
  LibraryOptions,
  PlannedRow,
  PlanOptions,
  RunOptions,
  RunReport,
} from './cli/library-calls.ts';

export {z} from 'zod';
export {
  type DataFiles,
  defineDataSet,
  type LoadedPictures,
  type SplitPictures,
} from '../stages/lib/data/define-data-set.ts';
export {defineModel, type ModelTask, type ParameterDeclaration} from '../stages/lib/models/define-model.ts';
export type {Cell, Columns, Mask, NamedTensor, Row, Rows, StoredFile, Weights} from './artifact/kinds.ts';
export type {Diagnostic} from './base/diagnostic.ts';
export {PipelineError} from './cli/pipeline-error.ts';
export type {RunEvent} from './run/event.ts';
export type {StageServices} from './stage/define-stage.ts';
export {defineStage, StageError} from './stage/define-stage.ts';
export type {Foreseen, ForeseenInputs, Foresight} from './stage/foresight.ts';
export type {SourceContext, SourceResolution, SourceResolver} from './stage/source.ts';
export type {ExplainedInstance, LibraryOptions, PlannedRow, PlanOptions, RunOptions, RunReport};

const calls = () => import('./cli/library-calls.ts');

/** What a run of a pipeline would do, and why. @throws PipelineError */
export const plan = async (file: string, options?: PlanOptions): Promise<readonly PlannedRow[]> =>
  (await calls()).plan(file, options);

/** Runs what is not stored; failures of instances are in the report and not thrown. @throws PipelineError */
export const run = async (file: string, options?: RunOptions): Promise<RunReport> => (await calls()).run(file, options);

/** Field by field, what makes an instance run now. @throws PipelineError also when there is no such instance. */
export const explain = async (file: string, instance: string, options?: LibraryOptions): Promise<ExplainedInstance> =>
  (await calls()).explain(file, instance, options);

/**
 * The rows of a stored table, `node.artifact` or `node[axis=0.5].artifact`, with the node's axes as first columns.
 *
 * @throws PipelineError also when it has not run as the pipeline is now.
 */
export const table = async (file: string, artifact: string, options?: LibraryOptions): Promise<Rows> =>
  (await calls()).table(file, artifact, options);
