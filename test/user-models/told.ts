import {z} from 'zod';
import {jsonLines} from '../cli/basin.ts';

const failed = z.object({
  id: z.string(),
  failure: z.object({message: z.string(), hint: z.string(), logTail: z.array(z.string()).default([])}),
});

/** What each instance failed with, by its id: message, hint and whatever lines are shown of it, a line each. */
export const failuresOf = (stdout: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    jsonLines(stdout).flatMap((line) => {
      const {data} = failed.safeParse(line);
      return data ? [[data.id, [data.failure.message, data.failure.hint, ...data.failure.logTail].join('\n')]] : [];
    }),
  );
