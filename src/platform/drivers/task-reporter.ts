// Thins a task's events before they leave its process: of each name and key at most one every 250 ms, the newest.
// The first after a pause goes out at once, because a task that computes without a break never reaches its timers.
import type { TaskEvent } from '../ports/jobs.ts';
import { maxEventBytes } from './worker-messages.ts';

/** Events of one name and key are at least this far apart. */
export const eventIntervalMs = 250;
/** More names and keys than this within one interval share a place: the newest of them wins. */
const maxPlaces = 256;
const maxWordCharacters = 100;

/** What may go out. */
export type Report =
  | { type: 'event'; name: string; key?: string; json: string }
  | { type: 'oversize-event'; name: string; sizeBytes: number };

export interface Reporter {
  report(event: TaskEvent): void;
  /** Sends what was held back; later reports go nowhere. */
  end(): void;
}

/** A reporter that hands what may go out to `send`. */
export function createReporter(
  send: (report: Report) => void,
  nowMs: () => number = () => performance.now(),
): Reporter {
  /** When each name and key may be sent again. */
  const dueMs = new Map<string, number>();
  const held = new Map<string, Report>();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  function sendDue(beforeMs: number): void {
    for (const [place, report] of held) {
      if ((dueMs.get(place) ?? 0) > beforeMs) continue;
      held.delete(place);
      dueMs.set(place, nowMs() + eventIntervalMs);
      send(report);
    }
  }

  /** Keeps one timer for the next held report, and none when nothing is held. */
  function wait(): void {
    if (held.size === 0 || timer !== undefined) return;
    const nextMs = Math.min(...[...held.keys()].map((place) => dueMs.get(place) ?? 0));
    timer = setTimeout(
      () => {
        timer = undefined;
        sendDue(nowMs());
        wait();
      },
      Math.max(1, nextMs - nowMs()),
    );
  }

  function placeOf({ name, key }: TaskEvent): string {
    const wanted = key === undefined ? name : `${name} ${key}`;
    if (dueMs.has(wanted)) return wanted;
    if (dueMs.size >= maxPlaces) {
      for (const [place, due] of dueMs) if (due <= nowMs() && !held.has(place)) dueMs.delete(place);
    }
    return dueMs.size < maxPlaces ? wanted : '';
  }

  return {
    report(event) {
      if (ended) return;
      const place = placeOf(event);
      // The newest goes last, so that events of different names keep their order.
      held.delete(place);
      held.set(place, toReport(event));
      sendDue(nowMs());
      wait();
    },
    end() {
      sendDue(Number.POSITIVE_INFINITY);
      clearTimeout(timer);
      ended = true;
    },
  };
}

function toReport(event: TaskEvent): Report {
  const json = JSON.stringify(event.data);
  const sizeBytes = Buffer.byteLength(json);
  const name = event.name.slice(0, maxWordCharacters);
  if (sizeBytes > maxEventBytes) return { type: 'oversize-event', name, sizeBytes };
  const key = event.key?.slice(0, maxWordCharacters);
  return { type: 'event', name, ...(key !== undefined && { key }), json };
}
