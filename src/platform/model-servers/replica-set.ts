// The replicas of one model, and the questions that wait for them. Nobody waits while a replica is free: batches are made
// of what gathers while all are at work. What the machine has room for is decided by model-servers.ts.
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs, type Clock } from '../../base/time.ts';
import type { Housing } from '../jobs/housed-process.ts';
import type { ModelServerStatus, ModelTaskOutput, Question, ServedModel } from '../ports/model-servers.ts';
import { BatchSize, mostQuestions } from './batch-size.ts';
import type { Machine } from './machine.ts';
import { Replica, type BatchOutcome } from './replica.ts';
import { medianOf, Scaler } from './scaling.ts';
import { WaitingRoom, type Waiting } from './waiting-room.ts';

/** How often a question is given to a process: once more after the first was lost. */
const mostTries = 2;
/** After a model could not be opened, it is not opened ahead of questions for so long; doubled each time. */
const firstPauseMs = secondMs;
const longestPauseMs = minuteMs;
const retryAfterSeconds = 2;

export interface SetTools extends Housing {
  clock: Clock;
  machine: Machine;
  /** Called when a set wants room for a process and there is none. */
  wantRoom(): void;
  /** Called when a process has given its room back. */
  roomGiven(): void;
  /** Whether a set that has just answered should give its replica up for another that cannot start. */
  mustYield(set: ReplicaSet): boolean;
}

export class ReplicaSet {
  readonly #tools: SetTools;
  readonly #replicas = new Set<Replica>();
  readonly #room = new WaitingRoom();
  readonly #scaler = new Scaler();
  readonly #batchSize = new BatchSize();
  /** Loads and ends that go on. */
  readonly #underWay = new Set<Promise<void>>();
  #model: ServedModel;
  #minReplicas = 0;
  #lastUsedMs: number;
  #failedLoads = 0;
  #openAgainAtMs = 0;
  #lastFailure: ModelServerStatus['lastFailure'] = null;
  #isClosing = false;
  // Of the running second: questions in the system over time, and how long those waited that got their turn.
  #areaMs = 0;
  #areaUntilMs: number;
  #sampledAtMs: number;
  #answering = 0;
  #warmSinceMs = 0;
  #waitsMs: number[] = [];

  constructor(tools: SetTools, model: ServedModel) {
    this.#tools = tools;
    this.#model = model;
    this.#lastUsedMs = this.#sampledAtMs = this.#areaUntilMs = tools.clock.monotonicMs();
  }

  async ask(model: ServedModel, question: Question): Promise<unknown> {
    this.#model = model;
    const nowMs = this.#measure();
    this.#lastUsedMs = nowMs;
    if (this.#isClosing) throw closing();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#room.enter({ question, sinceMs: nowMs, lostCount: 0, resolve, reject });
    this.#dispatch();
    return await promise;
  }

  /** Keeps so many ready from now on. */
  keep(model: ServedModel, minReplicas: number): void {
    this.#model = model;
    this.#minReplicas = minReplicas;
  }

  release(): void {
    this.#minReplicas = 0;
  }

  get isEmpty(): boolean {
    return this.#replicas.size === 0 && this.#room.count === 0 && this.#minReplicas === 0;
  }

  /** Whether questions wait and there is no process, nor one to come. */
  get isStarving(): boolean {
    return this.#replicas.size === 0 && this.#room.count > 0;
  }

  longestWaitMs(nowMs: number): number {
    return this.#room.longestWaitMs(nowMs);
  }

  get lastUsedMs(): number {
    return this.#lastUsedMs;
  }

  /** Starts the first process, if there is room. */
  feed(): void {
    if (this.isStarving) this.#start();
  }

  /** Ends a replica that has nothing to do and need not be kept; says whether there was one. */
  giveUpIdle(): boolean {
    const idle = this.#idle();
    if (idle.length === 0 || this.#replicas.size <= this.#minReplicas) return false;
    this.#end(idle[0]!);
    return true;
  }

  /** A second's upkeep: takes stock, replaces what is too large, starts and ends replicas. */
  tend(): void {
    const nowMs = this.#measure();
    this.#sample(nowMs);
    this.#room.expire(nowMs);
    for (const replica of this.#idle())
      if (replica.residentBytes > replica.memoryBytes) this.#end(replica, tooLarge(replica));
    const wanted = this.#wanted(nowMs);
    const isFirstLoading = this.#replicas.size > 0 && this.#readyCount() === 0;
    if (nowMs >= this.#openAgainAtMs && !isFirstLoading)
      while (this.#replicas.size < wanted && this.#start());
    for (const replica of this.#idle().slice(0, Math.max(0, this.#replicas.size - wanted)))
      this.#end(replica);
    this.#dispatch();
  }

  status(): ModelServerStatus {
    const ready = this.#readyCount();
    const loading = this.#replicas.size - ready;
    const idleState = this.#room.count > 0 ? 'queued' : 'cold';
    return {
      state: ready > 0 ? 'warm' : loading > 0 ? 'loading' : idleState,
      loadedShare:
        ready > 0 || loading === 0
          ? null
          : Math.max(...[...this.#replicas].map(({ loadedShare }) => loadedShare)),
      replicas: { ready, loading },
      waitingCount: this.#room.count,
      lastFailure: this.#lastFailure,
    };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#room.refuseAll(closing());
    await Promise.all([...this.#replicas].map((replica) => replica.end()));
    await Promise.all(this.#underWay);
  }

  #wanted(nowMs: number): number {
    const { maxReplicas, idleMs } = this.#model.scale;
    const isInUse = this.#room.count > 0 || this.#answering > 0 || nowMs - this.#lastUsedMs < idleMs;
    // Nobody has asked yet, or not for long: none beyond those that are kept.
    if (!isInUse || (this.#replicas.size === 0 && this.#room.count === 0)) return this.#minReplicas;
    const wanted = Math.min(maxReplicas, this.#scaler.wanted(nowMs, this.#readyCount()));
    return Math.max(this.#minReplicas, wanted);
  }

  #dispatch(): void {
    for (let idle = this.#idle(); idle.length > 0 && this.#room.count > 0; idle = idle.slice(1)) {
      const nowMs = this.#tools.clock.monotonicMs();
      // Shared out, so that no replica is left without.
      const questions = Math.min(mostQuestions, Math.ceil(this.#room.count / idle.length));
      void this.#answer(idle[0]!, this.#room.take({ rows: this.#batchSize.rows, questions }, nowMs));
    }
    this.feed();
  }

  /** Starts a process and lets it answer when it is ready; false when there is no room for it. */
  #start(): boolean {
    const { machine, wantRoom } = this.#tools;
    const model = this.#model;
    if (this.#isClosing) return false;
    if (!machine.tryTake(model.memoryBytes)) {
      if (this.isStarving) wantRoom();
      return false;
    }
    const replica = new Replica(this.#tools, model);
    this.#replicas.add(replica);
    this.#follow(this.#open(replica));
    return true;
  }

  /** From the start of a replica to its end. */
  async #open(replica: Replica): Promise<void> {
    try {
      await replica.load();
      this.#failedLoads = 0;
      this.#openAgainAtMs = 0;
      if (this.#readyCount() === 1) this.#warmSinceMs = this.#areaUntilMs = this.#tools.clock.monotonicMs();
      this.#dispatch();
      await replica.ended;
      // One that was at work tells it itself.
      if (replica.state === 'ready') this.#noteFailure(diedIdle());
    } catch (error) {
      this.#replicas.delete(replica);
      this.#loadFailed(error);
    }
    // However it ended, its folder goes, too.
    await replica.end();
    this.#replicas.delete(replica);
    this.#tools.machine.giveBack(replica.memoryBytes);
    this.#dispatch();
    this.#tools.roomGiven();
  }

  #loadFailed(error: unknown): void {
    if (this.#isClosing) return;
    const { clock, log } = this.#tools;
    this.#failedLoads++;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#failedLoads - 1));
    this.#openAgainAtMs = clock.monotonicMs() + pauseMs;
    log.warn({ error, model: this.#model.name }, 'a model could not be opened by a process');
    const isLost = error instanceof Problem && error.code === 'worker-lost';
    if (error instanceof Problem) this.#lastFailure = { atMs: clock.nowMs(), problem: error };
    // A process may die of what has nothing to do with the model: so the next one tries, once.
    if (this.#readyCount() > 0 || (isLost && this.#failedLoads < mostTries)) return;
    this.#room.refuseAll(isLost ? diedTwice(error) : error);
  }

  async #answer(replica: Replica, batch: Waiting[]): Promise<void> {
    const beganMs = this.#measure();
    this.#answering += batch.length;
    for (const { sinceMs } of batch) this.#waitsMs.push(beganMs - Math.max(sinceMs, this.#warmSinceMs));
    const outcome = await replica.answer(batch.map(({ question }) => question.input));
    const nowMs = this.#measure();
    this.#answering -= batch.length;
    this.#lastUsedMs = nowMs;
    const rowCount = batch.reduce((sum, { question }) => sum + question.rowCount, 0);
    this.#batchSize.record({ rowCount, questionCount: batch.length, tookMs: nowMs - beganMs });
    if ('problem' in outcome && replica.state === 'gone') this.#noteFailure(outcome.problem);
    this.#settle(batch, outcome);
    if (replica.state === 'ready' && this.#tools.mustYield(this)) this.#end(replica);
    this.#dispatch();
  }

  #settle(batch: Waiting[], outcome: BatchOutcome): void {
    if ('output' in outcome) return settleEach(batch, outcome.output);
    const { problem } = outcome;
    const again: Waiting[] = [];
    for (const waiting of batch) {
      const mayTryAgain =
        batch.length > 1 || problem.code === 'worker-lost' || problem.code === 'memory-limit';
      if (mayTryAgain && ++waiting.lostCount < mostTries && !this.#isClosing) again.push(waiting);
      else waiting.reject(problem.code === 'worker-lost' ? diedTwice(problem) : problem);
    }
    this.#room.putBack(again);
  }

  #end(replica: Replica, reason?: Problem): void {
    if (reason) this.#noteFailure(reason);
    this.#follow(replica.end());
  }

  #noteFailure(problem: Problem): void {
    if (this.#isClosing) return;
    const { clock, log } = this.#tools;
    this.#lastFailure = { atMs: clock.nowMs(), problem };
    log.warn({ error: problem, model: this.#model.name }, 'a process of a model is replaced');
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  #idle(): Replica[] {
    return [...this.#replicas].filter(({ state }) => state === 'ready');
  }

  #readyCount(): number {
    return [...this.#replicas].filter(({ state }) => state === 'ready' || state === 'busy').length;
  }

  /** Adds what was in the system since the last look; who waits for the first replica says nothing of how many are enough. */
  #measure(): number {
    const nowMs = this.#tools.clock.monotonicMs();
    if (this.#readyCount() > 0)
      this.#areaMs += (this.#room.count + this.#answering) * (nowMs - this.#areaUntilMs);
    this.#areaUntilMs = nowMs;
    return nowMs;
  }

  #sample(nowMs: number): void {
    const spanMs = nowMs - this.#sampledAtMs;
    if (spanMs <= 0) return;
    const medianWaitMs = this.#waitsMs.length === 0 ? null : medianOf(this.#waitsMs);
    this.#scaler.record({ atMs: nowMs, spanMs, concurrency: this.#areaMs / spanMs, medianWaitMs });
    this.#areaMs = 0;
    this.#waitsMs = [];
    this.#sampledAtMs = nowMs;
  }
}

function settleEach(batch: readonly Waiting[], { answers }: ModelTaskOutput): void {
  batch.forEach(({ resolve, reject }, index) => {
    const told = answers[index]!;
    if ('answer' in told) resolve(told.answer);
    else reject(Problem.fromDocument(told.problem));
  });
}

function tooLarge({ memoryBytes }: Replica): Problem {
  const limit = `${Math.round(memoryBytes / 1_048_576)} MiB`;
  return new Problem('memory-limit', `Between two requests it held more than its limit of ${limit}.`);
}

function diedIdle(): Problem {
  return new Problem('worker-lost', 'The process that runs the model ended between two requests.');
}

function diedTwice(cause: unknown): Problem {
  const detail = 'The process that runs the model ended twice before it answered.';
  return new Problem('unavailable', detail, { retryAfterSeconds, cause });
}

function closing(): Problem {
  return new Problem('unavailable', 'The server is stopping.', { retryAfterSeconds });
}
