import {workingFolder} from '../base/working-folder.ts';

/** What a stage of the user's can set of the process it runs in, and whoever runs there next would find. */
export interface ProcessState {
  /** Puts everything back. */
  restore(): void;
  /** Does work whose variables are to stay. */
  keeping<T>(work: () => Promise<T>): Promise<T>;
}

/** Variables of the environment, working folder and mask of new files, as they are now. */
export function noteProcess(): ProcessState {
  const {env} = process;
  const variables = new Map(Object.entries(env));
  const folder = workingFolder();
  const umask = process.umask();
  return {
    restore: () => {
      process.env = env;
      for (const name of Object.keys(env)) if (!variables.has(name)) delete env[name];
      for (const [name, value] of variables) if (env[name] !== value) env[name] = value;
      if (folder !== undefined && workingFolder() !== folder) goTo(folder);
      process.umask(umask);
    },
    keeping: async (work) => {
      const before = {...env};
      const done = await work();
      for (const [name, value] of Object.entries(env)) if (before[name] !== value) variables.set(name, value);
      return done;
    },
  };
}

/** What is written under the mask of new files that is set now, whatever is set meanwhile. */
export function underThisMask(): <T>(write: () => Promise<T>) => Promise<T> {
  const ours = process.umask();
  return async (write) => {
    const theirs = process.umask(ours);
    try {
      return await write();
    } finally {
      process.umask(theirs);
    }
  };
}

function goTo(folder: string): void {
  try {
    process.chdir(folder);
  } catch {
    // It was removed, so there is nothing to find in it.
  }
}
