// A throttle for attempts to sign in: a sliding window for each client and one for all of them together. Codes and
// keys have 256 bits and cannot be guessed; the throttle keeps guessing from costing the database anything.
//
// Its memory is bounded by the window of all clients: no more attempts are remembered than that one lets in.
// It is kept in each server by itself: sharing it would cost the very database trips that it is there to save.
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs, type Clock } from '../../base/time.ts';
import { clientNetwork } from '../drivers/addresses.ts';

export interface ThrottleOptions {
  clock: Clock;
  windowMs?: number;
  /** Attempts of one client in a window. */
  maxPerClient?: number;
  /** Attempts of all clients in a window; also the number of attempts that are remembered. */
  maxInAll?: number;
}

/** Counts attempts. A client is an IPv4 address or an IPv6 network of 64 bits, which is what one household has. */
export interface Throttle {
  /** Throws `too-many-requests` with the seconds to wait when the client, or all together, used up the window. */
  check(clientAddress: string): void;
  /** Remembers an attempt. */
  record(clientAddress: string): void;
  /** How many attempts are remembered. */
  readonly size: number;
}

export function createThrottle({
  clock,
  windowMs = minuteMs,
  maxPerClient = 20,
  maxInAll = 600,
}: ThrottleOptions): Throttle {
  /** Oldest first. */
  let attempts: { atMs: number; client: string }[] = [];

  const forget = (): void => {
    const since = clock.monotonicMs() - windowMs;
    const firstKept = attempts.findIndex(({ atMs }) => atMs > since);
    if (firstKept !== 0) attempts = firstKept < 0 ? [] : attempts.slice(firstKept);
  };
  const refuse = (oldest: { atMs: number }, who: string): never => {
    const waitMs = oldest.atMs + windowMs - clock.monotonicMs();
    throw new Problem('too-many-requests', `Too many attempts to sign in ${who}.`, {
      retryAfterSeconds: Math.max(1, Math.ceil(waitMs / secondMs)),
    });
  };

  return {
    check(clientAddress) {
      forget();
      if (attempts.length >= maxInAll) refuse(attempts[attempts.length - maxInAll]!, 'on this server');
      const client = clientNetwork(clientAddress);
      const own = attempts.filter((attempt) => attempt.client === client);
      if (own.length >= maxPerClient) refuse(own[own.length - maxPerClient]!, 'from your address');
    },
    record(clientAddress) {
      forget();
      if (attempts.length >= maxInAll) attempts.shift();
      attempts.push({ atMs: clock.monotonicMs(), client: clientNetwork(clientAddress) });
    },
    get size() {
      return attempts.length;
    },
  };
}
