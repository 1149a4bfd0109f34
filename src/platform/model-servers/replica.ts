// One worker process with one open model. It answers a batch of questions at a time; what to make of how that ended is
// decided by replica-set.ts.
import { Problem } from '../../base/problems.ts';
import { minuteMs } from '../../base/time.ts';
import type { TaskOutcome, TaskRun } from '../drivers/worker-process.ts';
import { putAway, startHoused, type HousedProcess, type Housing } from '../jobs/housed-process.ts';
import type { ModelTaskInput, ModelTaskOutput, ServedModel } from '../ports/model-servers.ts';

const openTimeoutMs = 5 * minuteMs;
const answerTimeoutMs = minuteMs;

/** What became of a batch: an answer for each question, or why there is none. */
export type BatchOutcome = { output: ModelTaskOutput } | { problem: Problem };

export class Replica {
  readonly memoryBytes: number;
  state: 'loading' | 'ready' | 'busy' | 'gone' = 'loading';
  /** While it is loading, 0 to 1. */
  loadedShare = 0;
  readonly #model: ServedModel;
  readonly #housing: Housing;
  readonly #ending = new AbortController();
  #housed: HousedProcess | undefined;

  constructor(housing: Housing, model: ServedModel) {
    this.#housing = housing;
    this.#model = model;
    this.memoryBytes = model.memoryBytes;
  }

  /** Starts the process and opens the model. Throws the problem that stands in the way; the process is gone then. */
  async load(): Promise<void> {
    try {
      const source = await this.#model.source();
      const limits = { memoryBytes: this.memoryBytes, timeoutMs: openTimeoutMs };
      this.#housed = await startHoused(this.#housing, limits, this.#ending.signal);
      const outcome = await this.#run({ kind: 'open', source }, openTimeoutMs);
      if (outcome.kind !== 'output') throw problemOf(outcome);
    } catch (error) {
      await this.end();
      throw error;
    }
    // It may have been told to end, or ended, in the meantime.
    if (this.state === 'loading') this.state = 'ready';
  }

  /** Resolves when the process is gone; call it after {@link load} has begun to run it. */
  get ended(): Promise<void> {
    return this.#housed?.process.ended ?? Promise.resolve();
  }

  async answer(questions: object[]): Promise<BatchOutcome> {
    this.state = 'busy';
    const outcome = await this.#run({ kind: 'answer', questions }, answerTimeoutMs);
    if (this.state === 'busy') this.state = 'ready';
    if (this.#housed!.process.isGone) await this.end();
    return outcome.kind === 'output'
      ? { output: outcome.output as ModelTaskOutput }
      : { problem: problemOf(outcome) };
  }

  /** Resident memory, or 0 when there is no process. */
  get residentBytes(): number {
    return this.#housed?.process.residentBytes ?? 0;
  }

  /** Kills the process; resolves when it is gone. */
  async end(): Promise<void> {
    this.state = 'gone';
    // One that ended by itself still has to say how, if it was at work.
    if (this.#housed?.process.isGone !== true) this.#ending.abort();
    if (this.#housed) await putAway(this.#housed);
  }

  #run(input: ModelTaskInput, timeoutMs: number): Promise<TaskOutcome> {
    const { process, folder } = this.#housed!;
    const run: TaskRun = {
      taskModule: this.#model.taskModule,
      input,
      jobId: '',
      attempt: 1,
      workFolder: folder.work,
      limits: { memoryBytes: this.memoryBytes, timeoutMs },
      signal: this.#ending.signal,
      onEvent: ({ name, data }) => {
        if (name === 'progress' && typeof data.share === 'number') this.loadedShare = data.share;
      },
    };
    return process.run(run);
  }
}

function problemOf(outcome: Exclude<TaskOutcome, { kind: 'output' }>): Problem {
  if (outcome.kind === 'problem') return outcome.problem;
  const cause = outcome.kind === 'lost' ? outcome.reason : 'it was told to end';
  return new Problem('worker-lost', 'The process that runs the model ended before it answered.', { cause });
}
