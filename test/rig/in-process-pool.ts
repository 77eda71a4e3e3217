import type {Job} from '../../src/run/protocol.ts';
import {serveJob, type Tensors} from '../../src/run/serve-jobs.ts';
import type {JobEnd, JobListener} from '../../src/run/worker-pool.ts';
import type {Registry} from '../../src/stage/define-stage.ts';

/** For workers whose stages compute without tensors. */
export const noTensors: Tensors = {
  library: () => Promise.reject(new Error('Internal error: a plain stage asked for tensors')),
  begin: () => {},
  check: () => Promise.resolve(),
};

/** Runs jobs here and now, by the code that workers run: a test of what runs needs no processes. */
export const inProcessPool = (registry: Registry) => ({
  stop: () => {},
  async run(job: Job, listener: JobListener): Promise<JobEnd> {
    let end: JobEnd = {end: 'done'};
    await serveJob(
      {
        stages: {registry, library: ''},
        tensors: noTensors,
        send: (message) => {
          if (message.say === 'point') listener.point(message.point, message.outputs, message);
          if (message.say === 'failed') end = {end: 'failed', logTail: [], ...message.failure};
        },
      },
      {...job, driver: process.ppid}, // as a worker finds it that the driver started
      {stop: new AbortController().signal, timeOver: new AbortController().signal},
    );
    return end;
  },
});
