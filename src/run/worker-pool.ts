import {type ChildProcess, fork} from 'node:child_process';
import type {Progress} from '../stage/define-stage.ts';
import type {DraftOutput} from '../store/publish.ts';
import {JobLines} from './job-lines.ts';
import type {Broken, FromWorker, Job, JobFailure, ToWorker} from './protocol.ts';
import {TimeWatch} from './time-limit.ts';

/** For what is still in the pipes when the process has ended; something that it started may hold them open. */
const DRAIN_MILLISECONDS = 1_000;
/** The driver's heap is for its graph; what a worker has is not in V8's heap, and has to be let go soon. */
const HEAP_OPTION = /^--(max-semi|initial-old)-space-size=/;

/** What computing a point took: wall-clock seconds, and the peak of resident memory in MiB. */
export interface PointCost {
  readonly seconds: number;
  readonly peakMemory: number;
}

/** What a job says while it runs. */
export interface JobListener {
  progress(progress: Progress): void;
  log(line: string): void;
  warning(message: string): void;
  point(index: number, outputs: Readonly<Record<string, DraftOutput>>, cost: PointCost): void;
}

export type JobEnd =
  | {readonly end: 'done'}
  | ({readonly end: 'failed'; readonly logTail: readonly string[]} & JobFailure)
  /** Its process had to be ended, because it did not answer when its time was over. */
  | {readonly end: 'overdue'; readonly seconds: number; readonly logTail: readonly string[]}
  /** An error that nothing caught ended its process: the job's own, or what an earlier one had left running. */
  | ({readonly end: 'broke'; readonly isOwn: boolean; readonly logTail: readonly string[]} & Broken)
  /** The process ended under the job: out of memory, a crash of native code, `kill`. */
  | {readonly end: 'died'; readonly how: string; readonly logTail: readonly string[]};

export interface PoolProfile {
  /** The script a worker process runs, and its arguments, which the number of its threads follows. */
  readonly script: string;
  readonly arguments: readonly string[];
  /** Of a worker for a job that asks for no number of its own. */
  readonly threads: number;
}

/** What a worker is given of the machine, for its whole life. */
export interface WorkerPlace {
  /** Ids of GPUs; those of the machine that the job leaves to chance when there are none. */
  readonly gpus: readonly string[];
  /** Unless it is the profile's. */
  readonly threads: number | undefined;
}

/** Nothing is lost by it but a warm process, and yet it would be an error in any other program. */
const brokeLater = ({message, stage}: Broken): string =>
  `${stage === undefined ? 'A stage' : `The stage "${stage}"`} had left something running that broke after its end: ${message}; what it gave is kept. Have it await what it begins, or catch its errors.`;

/** A process that does one job at a time and keeps its tensor library warm between them. */
class Worker {
  readonly process: ChildProcess;
  readonly #lines = new JobLines((line) => this.current?.listener.log(line));
  current: {job: Job; listener: JobListener; end: (end: JobEnd) => void} | undefined;
  /** Of the last job that ended, for what is heard of it later. */
  #before: JobListener | undefined;
  /** What was said of the end of its job. */
  #answer: (FromWorker & {readonly say: 'done' | 'failed'}) | undefined;
  #points = 0;
  #watch: TimeWatch | undefined;
  #overdue: number | undefined;
  #broke: (FromWorker & {readonly say: 'broke'}) | undefined;
  readonly place: WorkerPlace;

  constructor(profile: PoolProfile, place: WorkerPlace) {
    this.place = place;
    const {gpus, threads = profile.threads} = place;
    this.process = fork(profile.script, [...profile.arguments, String(threads)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: process.execArgv.filter((option) => !HEAP_OPTION.test(option)),
      ...(gpus.length > 0 && {env: {...process.env, CUDA_VISIBLE_DEVICES: gpus.join(',')}}),
    });
    this.#lines.follow(this.process.stdout);
    this.#lines.follow(this.process.stderr);
    this.process.on('message', (message: FromWorker) => this.#hear(message));
    this.process.on('exit', (code, signal) => {
      const ended = (): void => this.#ended(signal ? `signal ${signal}` : `exit code ${code}`);
      const drained = setTimeout(() => {
        this.process.stdout?.destroy();
        this.process.stderr?.destroy();
        ended();
      }, DRAIN_MILLISECONDS);
      // By then the pipes have been read to their end, so the tail is whole.
      this.process.on('close', () => {
        clearTimeout(drained);
        ended();
      });
    });
    this.process.on('error', (error) => this.#ended(error.message));
  }

  begin(current: NonNullable<Worker['current']>): void {
    this.#lines.begin();
    this.#points = 0;
    this.current = current;
    this.say({say: 'job', job: current.job});
  }

  #hear(message: FromWorker): void {
    const {current} = this;
    if (message.say === 'broke') this.#broke = message;
    if (message.say === 'broke' || !current || message.job !== current.job.id) return;
    switch (message.say) {
      case 'begun':
        return this.#watchOver(current.job);
      case 'time-over':
        return this.#watch?.answered();
      case 'progress':
        return current.listener.progress(message.progress);
      case 'log':
        return current.listener.log(message.line);
      case 'warning':
        return current.listener.warning(message.message);
      case 'point':
        this.#points += 1;
        this.#watch?.restart();
        return current.listener.point(message.point, message.outputs, message);
      case 'done':
      case 'failed':
        this.#answer = message;
        // What it had printed before may lie in the pipes still, and is read in this turn.
        setImmediate(() => this.#takeAnswer());
    }
  }

  #takeAnswer(): void {
    const answer = this.#answer;
    this.#answer = undefined;
    const logTail = this.#lines.last();
    switch (answer?.say) {
      case 'done':
        return this.#finish({end: 'done'});
      case 'failed':
        return this.#finish({end: 'failed', logTail, ...answer.failure});
    }
  }

  #watchOver({id, timeOut}: Job): void {
    if (timeOut === undefined) return;
    this.#watch = new TimeWatch({
      seconds: timeOut,
      over: () => this.say({say: 'time-over', job: id, after: this.#points}),
      overdue: () => {
        this.#overdue = timeOut;
        this.process.kill('SIGKILL');
      },
    });
  }

  #finish(end: JobEnd): void {
    this.#watch?.close();
    this.#watch = undefined;
    const {current} = this;
    this.current = undefined;
    if (current) this.#before = current.listener;
    current?.end(end);
  }

  #ended(how: string): void {
    this.#takeAnswer();
    const logTail = this.#lines.last();
    if (this.#broke) {
      const {say, job, ...broken} = this.#broke;
      if (!this.current) this.#before?.warning(brokeLater(broken));
      return this.#finish({end: 'broke', isOwn: job === this.current?.job.id, logTail, ...broken});
    }
    this.#finish(
      this.#overdue === undefined ? {end: 'died', how, logTail} : {end: 'overdue', seconds: this.#overdue, logTail},
    );
  }

  /** Whether it takes another job: one that broke, or whose channel is closed, has ended or is about to, and would never answer. */
  get isThere(): boolean {
    const {connected, exitCode, signalCode} = this.process;
    return connected && exitCode === null && signalCode === null && this.#broke === undefined;
  }

  say(message: ToWorker): void {
    if (this.process.connected) this.process.send(message);
  }
}

/** Ended by a signal for the whole process group, which a worker leaves to the driver as soon as its own code runs. */
const wasStarting = (end: JobEnd): boolean => end.end === 'died' && /^signal SIG(HUP|INT|TERM)$/.test(end.how);

const isSamePlace = (one: WorkerPlace, other: WorkerPlace): boolean =>
  one.threads === other.threads && one.gpus.join() === other.gpus.join();

/** Warm worker processes of one profile, started as they are needed; who uses it bounds how many run at once. */
export class WorkerPool {
  readonly #profile: PoolProfile;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #stopped = false;

  constructor(profile: PoolProfile) {
    this.#profile = profile;
  }

  /**
   * Runs a job on an idle worker of that place, or on a new one, and where it is to be the first there always on that; resolves when it has ended,
   * however it ended.
   */
  async run(job: Job, listener: JobListener, place: WorkerPlace, isFirst = false): Promise<JobEnd> {
    const end = await this.#runOnce(job, listener, place, isFirst);
    return wasStarting(end) ? this.#runOnce(job, listener, place, isFirst) : end;
  }

  async #runOnce(job: Job, listener: JobListener, place: WorkerPlace, isFirst: boolean): Promise<JobEnd> {
    await this.#vacate(place, isFirst);
    // It was on its way when the stop came, so no worker had it to be told.
    if (this.#stopped) return {end: 'failed', why: 'stopped', logTail: []};
    const worker = (isFirst ? this.#makeRoom() : this.#takeIdle(place)) ?? this.#start(place);
    return new Promise((resolve) => {
      worker.begin({
        job,
        listener,
        end: (end) => {
          if ((end.end === 'done' || end.end === 'failed') && worker.isThere) this.#idle.push(worker);
          resolve(end);
        },
      });
    });
  }

  /** Ends idle workers that hold memory of these GPUs for another place, or whose warmth is not wanted, and waits until they are gone. */
  async #vacate(place: WorkerPlace, isFirst: boolean): Promise<void> {
    const inTheWay = this.#idle.filter(
      (worker) =>
        (isFirst || !isSamePlace(worker.place, place)) && worker.place.gpus.some((gpu) => place.gpus.includes(gpu)),
    );
    await Promise.all(inTheWay.map((worker) => this.#letGo(worker)));
  }

  #takeIdle(place: WorkerPlace): Worker | undefined {
    const at = this.#idle.findLastIndex((worker) => worker.isThere && isSamePlace(worker.place, place));
    return at >= 0 ? this.#idle.splice(at, 1)[0] : this.#makeRoom();
  }

  /** What is warm and unused takes memory, and there are as many places as a pipeline names. */
  #makeRoom(): undefined {
    const [oldest] = this.#idle;
    if (oldest) void this.#letGo(oldest);
    return undefined;
  }

  #letGo(worker: Worker): Promise<void> {
    this.#idle.splice(this.#idle.indexOf(worker), 1);
    this.#all.delete(worker);
    return this.#gone(worker);
  }

  #gone({process}: Worker): Promise<void> {
    const {pid, exitCode, signalCode} = process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return Promise.resolve();
    // 'exit' and not 'close', which never comes when this side has closed the channel.
    const gone = new Promise<void>((resolve) => process.once('exit', () => resolve()));
    if (process.connected) process.disconnect();
    return gone;
  }

  #start(place: WorkerPlace): Worker {
    const worker = new Worker(this.#profile, place);
    this.#all.add(worker);
    worker.process.on('exit', () => {
      this.#all.delete(worker);
      const at = this.#idle.indexOf(worker);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return worker;
  }

  /** Asks what runs to stop at its next step; nothing runs from then on. */
  stop(): void {
    this.#stopped = true;
    for (const worker of this.#all) worker.say({say: 'stop'});
  }

  /** Ends every process now. */
  kill(): void {
    for (const worker of this.#all) worker.process.kill('SIGKILL');
  }

  /** Lets idle workers go, which end by themselves once the channel is closed, and waits until they are gone. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => this.#gone(worker)));
  }
}
