import {AsyncLocalStorage} from 'node:async_hooks';
import {asError} from '../base/thrown.ts';
import {withoutMarks} from '../stage/import-error.ts';
import {thrownAt} from '../stage/import-fault.ts';
import {hasLoadedFiles, replaceExit} from '../stage/while-loading.ts';
import {allWritten} from './all-written.ts';
import type {StageSource} from './job-stage.ts';
import {noteProcess} from './process-state.ts';
import type {FromWorker, Job, ToWorker} from './protocol.ts';
import {serveJob, type Tensors} from './serve-jobs.ts';
import {timeOutError} from './time-limit.ts';

interface Running {
  readonly job: Job;
  readonly stop: AbortController;
  readonly timeOver: AbortController;
}

/** The job whose code runs: what it began says so too, also when it has ended. */
const jobs = new AsyncLocalStorage<Pick<Job, 'id' | 'stage'>>();

/**
 * The life of a worker process: one job at a time from the driver, until the driver goes away.
 * Ctrl-C, a terminal that is closed and a polite kill may reach every process of the group; the driver alone decides what they mean.
 */
export function runWorker(stages: StageSource, tensors: Tensors): void {
  if (!process.send) throw new Error('Internal error: a worker was started without a driver');
  // The driver may be any program, with any mask; what is written here is never everybody's to write.
  process.umask(process.umask() | 0o002);
  let running: Running | undefined;
  /** How many that has given. */
  let points = 0;
  let served = 0;
  let broken = false;
  const send = (message: FromWorker): void => {
    if (broken) return;
    if (message.say === 'point' && running?.job.id === message.job) points += 1;
    // A driver that was killed has closed the channel; 'disconnect' ends this process.
    if (process.connected) process.send?.(message);
  };
  const state = noteProcess();
  // It is loaded with the first job that needs it, and goes on reading the variables that it sets.
  const server = {stages, tensors: {...tensors, library: () => state.keeping(tensors.library)}, send};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  const {exit} = process;
  process.on('disconnect', () => exit(0));
  // The job that runs may end its process, and no other one may.
  const exitOwn: typeof exit = (code) => {
    const of = jobs.getStore();
    if (of === undefined || of.id === running?.job.id) return exit(code);
    const error = new Error('process.exit was called');
    Error.captureStackTrace(error, exitOwn);
    throw error;
  };
  replaceExit(exitOwn);
  const onBroken = (thrown: unknown): void => {
    if (broken) return;
    broken = true;
    // The place is told from the folder that the run has.
    state.restore();
    const error = asError(thrown);
    // Of the first job there is nobody else whose code it could be, whether or not the error says so.
    const of = jobs.getStore() ?? (served === 1 ? running?.job : undefined);
    const message: FromWorker = {
      ...{say: 'broke', job: of?.id, message: `${thrownAt(error)}${error.message}`},
      ...(error.stack !== undefined && {stack: withoutMarks(error.stack)}),
      ...(of && {stage: of.stage.name}),
    };
    void allWritten().then(() => process.send?.(message, () => process.kill(process.pid, 'SIGKILL')));
  };
  process.on('uncaughtException', onBroken);
  process.on('unhandledRejection', onBroken);
  process.on('message', (message: ToWorker) => {
    switch (message.say) {
      case 'stop':
        running?.stop.abort();
        return;
      case 'time-over':
        if (running?.job.id === message.job && points === message.after) {
          send({say: 'time-over', job: message.job});
          running.timeOver.abort(timeOutError(running.job.timeOut ?? 0));
        }
        return;
      case 'job': {
        const {job} = message;
        const now: Running = {job, stop: new AbortController(), timeOver: new AbortController()};
        running = now;
        points = 0;
        served += 1;
        if (hasLoadedFiles()) state.restore();
        const signals = {stop: now.stop.signal, timeOver: now.timeOver.signal};
        void jobs
          .run(job, () => serveJob(server, job, signals))
          .finally(() => {
            if (running === now) running = undefined;
          });
        return;
      }
    }
  });
}
