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
  const send = (message: FromWorker): void => {
    if (message.say === 'point' && running?.job.id === message.job) points += 1;
    // A driver that was killed has closed the channel; 'disconnect' ends this process.
    if (process.connected) process.send?.(message);
  };
  const state = noteProcess();
  // It is loaded with the first job that needs it, and goes on reading the variables that it sets.
  const server = {stages, tensors: {...tensors, library: () => state.keeping(tensors.library)}, send};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
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
        state.restore();
        void serveJob(server, job, {stop: now.stop.signal, timeOver: now.timeOver.signal}).finally(() => {
          if (running === now) running = undefined;
        });
        return;
      }
    }
  });
}
