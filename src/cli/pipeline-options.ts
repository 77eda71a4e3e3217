import type {Command} from 'commander';
import {InvalidArgumentError, Option} from 'commander';
import {BACKENDS, type BackendName} from '../../stages/tensor/backend.ts';

/** Options of every command that reads a pipeline. */
export interface PipelineOptions {
  readonly set?: readonly string[];
  readonly params?: readonly string[];
  readonly slowParams?: string;
  readonly cache?: string;
  readonly backend?: BackendName;
  readonly json?: true;
  /** Data sets and checkpoints that are not on this machine are not fetched; of `run`. */
  readonly offline?: true;
  /** Nodes and instances that run although the store has their result; of `run` and `plan`. */
  readonly force?: readonly string[];
  /** What the machine has, as in `gpu=2,memory=64GB`; of `run` and `plan`. */
  readonly resources?: readonly string[];
}

/** Options of the commands that say what a run would do, or do it. */
export interface RunnableOptions extends PipelineOptions {
  readonly target?: readonly string[];
  readonly jobs?: number;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}

export const withRunOptions = (command: Command): Command =>
  command
    .option('--target <node>', 'only this node or instance and what it needs; may be repeated', gather)
    .option('--jobs <n>', 'how many instances run side by side', wholeNumber)
    .option('--force <node>', 'run this node or instance although its result is stored; may be repeated', gather)
    .option('--resources <name=amount>', 'what the machine has, as in gpu=2,memory=64GB; may be repeated', gather);

/** Collects the values of an option that may be repeated. */
const gather = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

export const withPipelineOptions = (command: Command): Command =>
  command
    .option('--set <name=value>', 'override a param, for example --set "keeps=[0.1]"; may be repeated', gather)
    .option('--params <file>', 'override params from a YAML file; may be repeated', gather)
    .option('--slow-params <file>', 'params for a machine that has no native back end')
    .option('--cache <folder>', 'the store (default: cache/ at the root of the project)')
    .addOption(new Option('--backend <name>', 'the tensor back end (default: the fastest there is)').choices(BACKENDS))
    .option('--json', 'print for programs, as the docs describe');
