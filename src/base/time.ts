// Time comes from a Clock that is handed in, so that tests and replays decide what time it is.

/** Where time comes from. `nowMs` is wall-clock time, `monotonicMs` never goes backwards. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; only differences have meaning. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** RFC 3339 in UTC with milliseconds, the one date format of the API. */
export function toIso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/**
 * Reads a duration such as `60s`, `5m`, `1h`, `250ms` or plain seconds (`60`).
 * @returns milliseconds, or `undefined` when the text is not a duration.
 */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  if (!match) return undefined;
  const unitMs = { ms: 1, s: secondMs, m: minuteMs, h: hourMs, d: dayMs }[match[2] ?? 's'];
  return unitMs === undefined ? undefined : Number(match[1]) * unitMs;
}
