// Turns for work of which so much may run and so much may wait, first come, first served.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';

export interface TurnLimits {
  maxRunning: number;
  /** Further ones are refused. */
  maxWaiting: number;
}

export class Turns {
  readonly #limits: TurnLimits;
  readonly #waiting: (() => void)[] = [];
  #runningCount = 0;

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Waits for a turn. Throws `too-many-requests` when too many wait, `cancelled` when `signal` is aborted. */
  async take(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw cancelled();
    if (this.#runningCount < this.#limits.maxRunning) {
      this.#runningCount++;
      return;
    }
    if (this.#waiting.length >= this.#limits.maxWaiting) {
      throw new Problem('too-many-requests', 'Too many requests of this kind are running.', {
        retryAfterSeconds: 2,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(cancelled());
      };
      const take = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.push(take);
    });
  }

  /** Ends a turn: the next one begins. */
  pass(): void {
    assert(this.#runningCount > 0, 'only a turn that was taken can be passed');
    const next = this.#waiting.shift();
    if (next) next();
    else this.#runningCount--;
  }
}

export function cancelled(): Problem {
  return new Problem('cancelled', 'It was cancelled before it was done.');
}
