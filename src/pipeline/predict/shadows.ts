// Asks shadows what was asked of the live version: after its answer has left, one request at a time, and only as much as
// fits beside the live ones. What does not fit is passed over: a shadow slows and fails no request, and nobody pays for it.
import { hash32 } from '../../base/hash.ts';
import type { Context } from '../../platform/context.ts';
import type { AnsweringDeployment } from '../deploy/deploy.ts';
import { answerRows, type Answerer } from './answer.ts';
import { recordAnswers, type LogTarget } from './log/recording.ts';
import type { Tally } from './tally.ts';

/** Requests that wait for shadows at most; more are passed over, as are those with more rows. */
const maxWaiting = 32;
const maxRows = 100;

/** A request that was answered, and a shadow that is to answer it, too. */
export interface Copy {
  deployment: AnsweringDeployment;
  rows: readonly Readonly<Record<string, unknown>>[];
  /** Opens the shadow's model, or finds it open. */
  open: (context: Context) => Promise<{ model: Answerer; log: LogTarget }>;
}

/** One server's shadows. */
export class Shadows {
  readonly #tally: Tally;
  readonly #stopping = new AbortController();
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** Has a shadow answer a copy, in a while or never; waits for nothing and throws nothing. */
  ask(context: Context, copy: Copy): void {
    const { deployment, rows } = copy;
    if (!isCopied(deployment, context.requestId) || rows.length > maxRows || this.#waiting >= maxWaiting)
      return;
    this.#waiting++;
    // Whoever asked may be gone by then.
    const own = { ...context, signal: this.#stopping.signal };
    this.#turn = this.#turn.then(async () => {
      await this.#answer(own, copy);
      this.#waiting--;
    });
  }

  /** Passes over what still waits; ends when the one that is being answered is. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#turn;
  }

  async #answer(context: Context, { deployment, rows, open }: Copy): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { clock } = context;
    // Live requests that came meanwhile have their turn first.
    await new Promise((resolve) => setImmediate(resolve));
    let tookMs = 0;
    try {
      const { model, log } = await open(context);
      const beganMs = clock.monotonicMs();
      const { predictions } = await answerRows(model, rows);
      tookMs = clock.monotonicMs() - beganMs;
      this.#tally.answered(deployment.id, tookMs);
      await recordAnswers(context, log, { beganMs, rows, answers: predictions });
    } catch (error) {
      this.#tally.failed(deployment.id, error);
      context.log.debug({ error, deploymentId: deployment.id }, 'a shadow failed a copy of a request');
    }
    // Shadows never take more of the processor than is left to others.
    await new Promise((resolve) => setTimeout(resolve, tookMs).unref());
  }
}

/** Whether a request is copied: independent of who answers it and of whether it is logged. */
function isCopied({ trafficShare }: AnsweringDeployment, requestId: string): boolean {
  return trafficShare >= 1 || hash32(`shadow ${requestId}`) / 4_294_967_296 < trafficShare;
}
