// Where the time of one request goes: parts that follow each other without a gap, each ended by its name. The answer
// tells them (Server-Timing, https://www.w3.org/TR/server-timing/), and traces show them as spans.
import type { Clock } from '../../base/time.ts';

export class Laps {
  readonly startMs: number;
  /** Parts in their order: when each ended, by the monotonic clock. */
  readonly parts: { name: string; endMs: number }[] = [];
  /** What is known of the request besides, for traces. */
  readonly notes: Record<string, string | number> = {};
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.startMs = clock.monotonicMs();
  }

  /** Ends the part that began with the request, or with the end of the part before. */
  end(name: string): void {
    this.parts.push({ name, endMs: this.#clock.monotonicMs() });
  }

  /** When the last part ended. */
  get endMs(): number {
    return this.parts.at(-1)?.endMs ?? this.startMs;
  }

  /** The header: milliseconds of each part, then of all. */
  serverTiming(): string {
    let text = '';
    let beganMs = this.startMs;
    for (const { name, endMs } of this.parts) {
      text += `${name};dur=${rounded(endMs - beganMs)}, `;
      beganMs = endMs;
    }
    return `${text}total;dur=${rounded(beganMs - this.startMs)}`;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
