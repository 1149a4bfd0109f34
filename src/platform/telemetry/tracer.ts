// Collects spans and hands them to a sender in batches, in the background: no request waits for a collector. Its memory
// is bounded; what a collector that is down or slow does not take is dropped and counted.
import { minuteMs, secondMs, type Clock } from '../../base/time.ts';
import type { Log } from '../ports/log.ts';
import { exportRequest, spansOf, traceContextOf, type Span, type TracedRequest } from './traces.ts';

const sendEveryMs = 2 * secondMs;
const mostWaiting = 8_192;
const mostAtOnce = 2_048;
const warnEveryMs = minuteMs;

export interface TracerOptions {
  clock: Clock;
  log: Log;
  service: { name: string; version: string };
  /** Share of requests that are traced where the caller says nothing of it. */
  share: number;
  /** Sends one `ExportTraceServiceRequest`; throws when it was not taken. */
  send(request: object): Promise<void>;
}

export class Tracer {
  readonly #options: TracerOptions;
  readonly #timer: NodeJS.Timeout;
  #waiting: Span[] = [];
  #sending: Promise<void> = Promise.resolve();
  #droppedCount = 0;
  #warnedAtMs = -Infinity;

  constructor(options: TracerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.flush(), sendEveryMs);
    this.#timer.unref();
  }

  /** Spans that were not sent since the start. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Keeps the spans of a request when it is sampled. */
  record(request: Omit<TracedRequest, 'context'>, traceparent: string | undefined): void {
    const context = traceContextOf(traceparent, this.#options.share);
    if (!context.isSampled) return;
    const spans = spansOf({ ...request, context }, this.#options.clock);
    if (this.#waiting.length + spans.length > mostWaiting) this.#drop(spans.length);
    else this.#waiting.push(...spans);
  }

  /** Sends what waits. */
  flush(): Promise<void> {
    this.#sending = this.#sending.then(() => this.#sendAll());
    return this.#sending;
  }

  /** Sends what waits and ends. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #sendAll(): Promise<void> {
    const { send, service, log, clock } = this.#options;
    while (this.#waiting.length > 0) {
      const spans = this.#waiting.slice(0, mostAtOnce);
      this.#waiting = this.#waiting.slice(mostAtOnce);
      try {
        // oxlint-disable-next-line no-await-in-loop -- batch by batch
        await send(exportRequest(spans, service));
      } catch (error) {
        this.#drop(spans.length);
        if (clock.monotonicMs() - this.#warnedAtMs < warnEveryMs) return;
        this.#warnedAtMs = clock.monotonicMs();
        log.warn({ error, droppedCount: this.#droppedCount }, 'Traces could not be sent to their collector.');
        return;
      }
    }
  }

  #drop(count: number): void {
    this.#droppedCount += count;
  }
}
