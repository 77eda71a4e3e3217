import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {createInterface, type Interface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import type {z} from 'zod';
import {
  errorSchema,
  memorySchema,
  multipliedSchema,
  nameSchema,
  type Request,
  ranSchema,
  type SideOptions,
} from './side-protocol.ts';

/** Lines of its standard error that are told when it ends early. */
const TOLD = 15;

/** One side of a comparison: a process that works when it is asked to and else waits. */
export class Side {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;
  #complaints: string[] = [];

  constructor(program: string, programArguments: readonly string[]) {
    this.#child = spawn(program, programArguments, {stdio: 'pipe'});
    this.#child.on('error', (error) => this.#complaints.push(error.message));
    this.#child.stdin.on('error', () => {}); // it has ended, which the missing answer tells
    createInterface({input: this.#child.stderr}).on('line', (line) => {
      this.#complaints = [...this.#complaints, line].slice(-TOLD);
    });
    this.#lines = createInterface({input: this.#child.stdout});
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** Does `count` units of work: the time of all, and what each gave. */
  run(count: number) {
    return this.#ask({do: 'run', count}, ranSchema);
  }

  /** Speed of the fastest product of a shape, in GFLOP/s. */
  async multiply([rows, inner, columns]: readonly [number, number, number]): Promise<number> {
    return (await this.#ask({do: 'multiply', shape: [rows, inner, columns]}, multipliedSchema)).gflops;
  }

  /** The most resident memory since it was last asked, in MiB. */
  async memory(): Promise<number> {
    return (await this.#ask({do: 'memory'}, memorySchema)).mib;
  }

  async name(): Promise<string> {
    return (await this.#ask({do: 'name'}, nameSchema)).name;
  }

  end(): void {
    this.#lines.close();
    this.#child.kill();
  }

  async #ask<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const {value, done} = await this.#answers.next();
    if (done) throw new Error(`It ended: ${this.#complaints.join('\n')}`);
    const answer: unknown = JSON.parse(value);
    const failed = errorSchema.safeParse(answer);
    if (failed.success) throw new Error(failed.data.error);
    return schema.parse(answer);
  }
}

export const basinSide = (options: SideOptions): Side =>
  new Side(process.execPath, [fileURLToPath(new URL('side-program.ts', import.meta.url)), JSON.stringify(options)]);
