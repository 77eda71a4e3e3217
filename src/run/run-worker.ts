import type {StageSource} from './job-stage.ts';
import {noteProcess} from './process-state.ts';
import type {FromWorker, ToWorker} from './protocol.ts';
import {serveJob, type Tensors} from './serve-jobs.ts';

/**
 * The life of a worker process: one job at a time from the driver, until the driver goes away.
 * Ctrl-C, a terminal that is closed and a polite kill may reach every process of the group; the driver alone decides what they mean.
 */
export function runWorker(stages: StageSource, tensors: Tensors): void {
  if (!process.send) throw new Error('Internal error: a worker was started without a driver');
  // The driver may be any program, with any mask; what is written here is never everybody's to write.
  process.umask(process.umask() | 0o002);
  const send = (message: FromWorker): void => {
    // A driver that was killed has closed the channel; 'disconnect' ends this process.
    if (process.connected) process.send?.(message);
  };
  const state = noteProcess();
  // It is loaded with the first job that needs it, and goes on reading the variables that it sets.
  const server = {stages, tensors: {...tensors, library: () => state.keeping(tensors.library)}, send};
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
  let running: AbortController | undefined;
  process.on('message', (message: ToWorker) => {
    switch (message.say) {
      case 'stop':
        running?.abort();
        return;
      case 'job': {
        const controller = new AbortController();
        running = controller;
        state.restore();
        void serveJob(server, message.job, controller.signal).finally(() => {
          if (running === controller) running = undefined;
        });
        return;
      }
    }
  });
}
