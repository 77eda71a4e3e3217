import type {Job} from '../../src/run/protocol.ts';
import {serveJob} from '../../src/run/serve-jobs.ts';
import type {JobEnd, JobListener} from '../../src/run/worker-pool.ts';
import type {Registry} from '../../src/stage/define-stage.ts';

/** Runs jobs here and now, by the code that workers run: a test of what runs needs no processes. */
export const inProcessPool = (registry: Registry) => ({
  stop: () => {},
  async run(job: Job, listener: JobListener): Promise<JobEnd> {
    let end: JobEnd = {end: 'done'};
    const tensorLibrary = () => Promise.reject(new Error('Internal error: a plain stage asked for tensors'));
    await serveJob(
      {
        stages: {registry, library: ''},
        tensorLibrary,
        send: (message) => {
          if (message.say === 'point') listener.point(message.point, message.outputs, message);
          if (message.say === 'failed') end = {end: 'failed', logTail: [], ...message.failure};
        },
      },
      job,
      new AbortController().signal,
    );
    return end;
  },
});
