import type {Study, Task} from './tasks.ts';

/** An engine that runs tasks in a folder and remembers there what it has done. */
export interface Engine {
  readonly name: string;
  /** More tasks than this are not asked of it unless told: it would take minutes. */
  readonly largest: number;
  /** Why it cannot run here, and how to get it; nothing when it can. */
  absent(): string | undefined;
  writeChains(folder: string, n: number, edited: number): void;
  /** Absent where another engine of the list is the same one, written in another way. */
  readonly writeStudy?: (folder: string, study: Study) => void;
  /** What brings everything up to date; it is started in the folder. */
  readonly command: readonly string[];
  /** What says what would run, where an engine has a command for it that one can trust. */
  readonly planCommand?: readonly string[];
  /** How many tasks the last command ran. */
  ran(folder: string, stdout: string): number;
  /** Takes the stored output of one interpolation away. */
  deleteOutput(folder: string): void;
}

/** The tasks of a folder in the words of one engine. */
export type WriteTasks = (folder: string, tasks: readonly Task[], comment: string) => void;
