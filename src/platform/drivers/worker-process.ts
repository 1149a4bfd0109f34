// A worker process as the server sees it: starts it with nothing of its own environment, gives it tasks one at a
// time, watches memory, time and signs of life, and ends it. The other side is task-main.ts.
// It knows nothing of queues and jobs; what becomes of an outcome is decided by platform/jobs.
import { fork, type ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { assert } from '../../base/assert.ts';
import { Problem, problemKinds } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { TaskEvent, TaskLimits } from '../ports/jobs.ts';
import type { Log } from '../ports/log.ts';
import { moduleUrl } from './module-url.ts';
import { killGroup } from './process-group.ts';
import { residentBytes } from './resident-memory.ts';
import { workerMessage, type ReadMessage } from './worker-message-schema.ts';
import type { ServerMessage } from './worker-messages.ts';

/** How long an aborted task may take to stop by itself. */
export const abortGraceMs = 3 * secondMs;
/** A process that has not been heard of for so long is lost. */
const silenceMs = 15 * secondMs;
const supervisionIntervalMs = 100;
/** The longest that timers can wait. */
const maxTimerMs = 2 ** 31 - 1;
/** How much of what the process wrote to stderr is kept for the log. */
const maxErrorCharacters = 8_192;

/** One execution of a task. */
export interface TaskRun {
  taskModule: URL;
  input: object;
  jobId: string;
  attempt: number;
  workFolder: string;
  /** See `TaskContext`. */
  keptFolder?: string;
  limits: TaskLimits;
  /** Aborting it ends the task: asked at first, killed after {@link abortGraceMs}. */
  signal: AbortSignal;
  onEvent(event: TaskEvent): void;
}

/** How an execution ended. After anything but `output` and `problem` the process is gone. */
export type TaskOutcome =
  | { kind: 'output'; output: unknown }
  | { kind: 'problem'; problem: Problem; retryable: boolean }
  /** The process ended, or was ended because it was silent; `reason` is for the log. */
  | { kind: 'lost'; reason: string }
  | { kind: 'aborted' };

export interface WorkerProcessOptions {
  /** The process's HOME and temporary folder; made and removed by the caller. */
  homeFolder: string;
  memoryBytes: number;
  /** Whether it gives way to the server: work that nobody waits for at a screen. */
  priority: 'background' | 'interactive';
  log: Log;
  silenceMs?: number;
}

/** A process that runs tasks, one at a time. */
export class WorkerProcess {
  readonly memoryBytes: number;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #log: Log;
  readonly #silenceMs: number;
  #isGone = false;
  /** Nobody knows what state it is in, so that it gets no further task. */
  #isUnfit = false;
  #taskCount = 0;
  #run: TaskRun | undefined;
  #settle: ((outcome: TaskOutcome) => void) | undefined;
  #lastSignMs = performance.now();
  #reportedBytes = 0;
  #errorText = '';

  constructor(options: WorkerProcessOptions) {
    this.memoryBytes = options.memoryBytes;
    this.#log = options.log;
    this.#silenceMs = options.silenceMs ?? silenceMs;
    this.#child = startChild(options);
    this.ended = new Promise((resolve) => {
      const gone = (reason: string): void => {
        if (this.#isGone) return;
        this.#isGone = true;
        // What the task may have started is in the same group.
        this.#kill();
        this.#settle?.(this.#outcomeOfEnd(reason));
        resolve();
      };
      this.#child.once('exit', (code, signal) => gone(signal ?? `exit code ${code}`));
      this.#child.once('error', (error) => gone(`cannot start: ${error.message}`));
    });
    this.#child.on('message', (message) => this.#receive(message));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errorText = (this.#errorText + text).slice(-maxErrorCharacters);
    });
    const lifeline = this.#child.stdio[4] as Socket;
    lifeline.on('error', () => undefined);
    lifeline.setEncoding('utf8').on('data', (text: unknown) => this.#hear(String(text)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** What it and what it started hold in memory. */
  get residentBytes(): number {
    return (this.pid === undefined ? undefined : residentBytes(this.pid)) ?? this.#reportedBytes;
  }

  /** Whether it can take another task: it is alive, idle and not swollen by the tasks before. */
  get isReusable(): boolean {
    return !this.#isGone && this.#run === undefined && this.residentBytes < this.memoryBytes / 2;
  }

  /** Runs a task to its end. */
  async run(run: TaskRun): Promise<TaskOutcome> {
    assert(this.#run === undefined, 'a worker process runs one task at a time');
    if (run.signal.aborted) {
      await this.end();
      return { kind: 'aborted' };
    }
    this.#run = run;
    this.#taskCount++;
    this.#lastSignMs = performance.now();
    const settled = Promise.withResolvers<TaskOutcome>();
    this.#settle = (outcome) => {
      this.#settle = undefined;
      settled.resolve(outcome);
    };
    if (this.#isGone) this.#settle(this.#outcomeOfEnd('it had ended before'));
    const stopSupervision = this.#supervise(run);
    this.#send({
      type: 'run',
      task: this.#taskCount,
      taskModule: moduleUrl(run.taskModule).href,
      input: run.input,
      jobId: run.jobId,
      attempt: run.attempt,
      workFolder: run.workFolder,
      ...(run.keptFolder !== undefined && { keptFolder: run.keptFolder }),
    });
    const outcome = await settled.promise;
    stopSupervision();
    if (run.signal.aborted || outcome.kind === 'lost' || this.#isUnfit) await this.end();
    this.#run = undefined;
    return run.signal.aborted ? { kind: 'aborted' } : outcome;
  }

  /** Kills the process; resolves when it is gone. */
  async end(): Promise<void> {
    if (!this.#isGone) this.#kill();
    await this.ended;
  }

  #supervise(run: TaskRun): () => void {
    const { limits, signal } = run;
    const task = this.#taskCount;
    let graceTimer: NodeJS.Timeout | undefined;
    const abort = (): void => {
      this.#send({ type: 'abort', task });
      graceTimer = setTimeout(() => this.#kill(), abortGraceMs);
    };
    signal.addEventListener('abort', abort, { once: true });
    const giveUp = (code: 'memory-limit' | 'time-limit', detail: string): void => {
      this.#isUnfit = true;
      this.#settle?.({ kind: 'problem', problem: new Problem(code, detail), retryable: false });
    };
    const timeTimer = setTimeout(
      () => giveUp('time-limit', `It ran for its limit of ${formatSeconds(limits.timeoutMs)}.`),
      Math.min(limits.timeoutMs, maxTimerMs),
    );
    let lastLookMs = performance.now();
    const lookTimer = setInterval(() => {
      const nowMs = performance.now();
      // When this process itself was stopped (a laptop that slept), silence says nothing.
      if (nowMs - lastLookMs > this.#silenceMs / 2) this.#lastSignMs = nowMs;
      lastLookMs = nowMs;
      if (nowMs - this.#lastSignMs > this.#silenceMs)
        this.#settle?.({ kind: 'lost', reason: `silent for ${formatSeconds(this.#silenceMs)}` });
      else if (this.residentBytes > limits.memoryBytes) giveUp('memory-limit', memoryDetail(limits));
    }, supervisionIntervalMs);
    return () => {
      signal.removeEventListener('abort', abort);
      clearTimeout(graceTimer);
      clearTimeout(timeTimer);
      clearInterval(lookTimer);
    };
  }

  #receive(raw: unknown): void {
    const parsed = workerMessage.safeParse(raw);
    if (!parsed.success) {
      this.#log.warn({ pid: this.pid, issues: parsed.error.issues }, 'a worker sent an unknown message');
      return;
    }
    const message = parsed.data;
    // A task that has ended may still have something on the way.
    if (message.task !== this.#taskCount || this.#settle === undefined) return;
    this.#lastSignMs = performance.now();
    if (message.type === 'event') {
      const { name, key, json: data } = message;
      this.#run?.onEvent({ name, data, ...(key !== undefined && { key }) });
    } else if (message.type === 'oversize-event') {
      const { name, sizeBytes } = message;
      this.#log.warn({ jobId: this.#run?.jobId, name, sizeBytes }, 'an event was too large and is left out');
    } else this.#settle(this.#outcomeOf(message));
  }

  #outcomeOf(message: Extract<ReadMessage, { type: 'output' | 'problem' | 'crash' }>): TaskOutcome {
    if (message.type === 'output') return { kind: 'output', output: message.json };
    if (message.type === 'problem') {
      const { code, detail, errors } = message.problem;
      const problem = Problem.fromDocument({ code, detail, ...(errors && { errors }) });
      return { kind: 'problem', problem, retryable: code !== 'internal' && problemKinds[code].retryable };
    }
    // What an aborted task throws is its way to stop.
    if (this.#run?.signal.aborted !== true)
      this.#log.error({ jobId: this.#run?.jobId, stack: message.text }, 'a task crashed');
    this.#isUnfit = true;
    // A mistake in the task would be made again by every further try.
    const problem = new Problem('internal', 'The task ended with an unexpected error, which was logged.');
    return { kind: 'problem', problem, retryable: false };
  }

  #outcomeOfEnd(reason: string): TaskOutcome {
    if (this.#errorText.includes('JavaScript heap out of memory') && this.#run) {
      const problem = new Problem('memory-limit', memoryDetail(this.#run.limits));
      return { kind: 'problem', problem, retryable: false };
    }
    if (this.#run && this.#errorText !== '')
      this.#log.warn({ jobId: this.#run.jobId, reason, stderr: this.#errorText }, 'a worker process ended');
    return { kind: 'lost', reason };
  }

  #hear(text: string): void {
    this.#lastSignMs = performance.now();
    const bytes = Number(text.trimEnd().split('\n').at(-1));
    if (Number.isFinite(bytes)) this.#reportedBytes = bytes;
  }

  #send(message: ServerMessage): void {
    // A failure to send is the end of the process, which is heard of by itself.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #kill(): void {
    if (this.pid !== undefined) killGroup(this.pid);
  }
}

function startChild({ homeFolder, memoryBytes, priority }: WorkerProcessOptions): ChildProcess {
  const entry = moduleUrl(new URL('./task-main.ts', import.meta.url));
  const heapMiB = Math.max(64, Math.ceil(memoryBytes / 1_048_576));
  const child = fork(fileURLToPath(entry), [], {
    execArgv: [`--max-old-space-size=${heapMiB}`, '--disable-warning=ExperimentalWarning'],
    // Nothing of the server's environment: it holds keys. Windows cannot start processes without SystemRoot.
    env: {
      HOME: homeFolder,
      TMPDIR: homeFolder,
      TEMP: homeFolder,
      TMP: homeFolder,
      TZ: 'UTC',
      LANG: 'C.UTF-8',
      ...(process.platform === 'win32' && { SystemRoot: 'C:\\Windows' }),
    },
    cwd: homeFolder,
    // Its own process group: a Ctrl-C in the terminal reaches the server alone, and the group ends together.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', 'overlapped'],
    serialization: 'json',
  });
  if (priority === 'background' && child.pid !== undefined) {
    try {
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It may have ended already; a priority is a courtesy.
    }
  }
  return child;
}

function memoryDetail({ memoryBytes }: TaskLimits): string {
  return `It needed more than its limit of ${Math.round(memoryBytes / 1_048_576)} MiB.`;
}

function formatSeconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} seconds`;
}
