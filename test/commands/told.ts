import {readFile} from 'node:fs/promises';
import type {PipelineRig, RigRun} from '../rig/pipeline-rig.ts';

/** The bytes of the `file` artifact of an instance. */
export async function bytesOf(
  rig: PipelineRig,
  {records, plan}: RigRun,
  id: string,
  artifact: string,
): Promise<Uint8Array> {
  const index = plan.instances.findIndex(({instance}) => instance.id === id);
  const digest = records[index]?.outputs[artifact]?.digest;
  if (digest === undefined) throw new Error(`${id} has no ${artifact}`);
  return rig.withStore((store) => readFile(store.blobPath(digest)));
}

/** What is told of each instance that failed. */
export const failures = ({events}: RigRun): Readonly<Record<string, string>> =>
  Object.fromEntries(
    events.flatMap((event) => {
      if (event.event !== 'instance-finished' || !event.failure) return [];
      const {message, hint, logTail = []} = event.failure;
      return [[event.id, [message, hint, ...logTail].join('\n')]];
    }),
  );
