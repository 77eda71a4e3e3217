import type {StageSource} from './job-stage.ts';
import type {FromWorker, ToWorker} from './protocol.ts';
import {serveJob, type Tensors} from './serve-jobs.ts';

/** So many messages may wait for the driver before who sends without end is asked to wait. */
const MOST_UNSENT = 1_000;

/**
 * The life of a worker process: one job at a time from the driver, until the driver goes away.
 * Ctrl-C, a terminal that is closed and a polite kill may reach every process of the group; the driver alone decides what they mean.
 */
export function runWorker(stages: StageSource, tensors: Tensors): void {
  if (!process.send) throw new Error('Internal error: a worker was started without a driver');
  // The driver may be any program, with any mask; what is written here is never everybody's to write.
  process.umask(process.umask() | 0o002);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  process.on('disconnect', () => process.exit(0));
  let unsent = 0;
  let waiting: PromiseWithResolvers<void> | undefined;
  const send = (message: FromWorker): void => {
    // A driver that was killed has closed the channel; 'disconnect' ends this process.
    if (!process.connected) return;
    unsent += 1;
    process.send?.(message, undefined, undefined, () => {
      unsent -= 1;
      if (unsent > MOST_UNSENT / 2) return;
      waiting?.resolve();
      waiting = undefined;
    });
  };
  const sent = (): Promise<void> | undefined => {
    if (unsent < MOST_UNSENT) return undefined;
    waiting ??= Promise.withResolvers<void>();
    return waiting.promise;
  };
  let running: AbortController | undefined;
  process.on('message', (message: ToWorker) => {
    switch (message.say) {
      case 'stop':
        running?.abort();
        return;
      case 'job': {
        const controller = new AbortController();
        running = controller;
        void serveJob({stages, tensors, send, sent}, message.job, controller.signal).finally(() => {
          if (running === controller) running = undefined;
        });
        return;
      }
    }
  });
}
