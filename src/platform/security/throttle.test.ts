import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import type { Clock } from '../../base/time.ts';
import { createThrottle, type Throttle } from './throttle.ts';

function manualClock(): Clock & { advance(ms: number): void } {
  let nowMs = 1_000_000;
  return { nowMs: () => nowMs, monotonicMs: () => nowMs, advance: (ms) => (nowMs += ms) };
}

/** Whether an attempt was let in. */
function attempt(throttle: Throttle, address: string): boolean {
  try {
    throttle.check(address);
  } catch (error) {
    assert.ok(error instanceof Problem && error.code === 'too-many-requests');
    assert.ok(error.retryAfterSeconds! >= 1);
    return false;
  }
  throttle.record(address);
  return true;
}

describe('throttle', () => {
  it('lets each client in so many times, then says how long to wait', () => {
    const clock = manualClock();
    const throttle = createThrottle({ clock, windowMs: 60_000, maxPerClient: 3, maxInAll: 100 });
    for (let count = 0; count < 3; count++) {
      assert.equal(attempt(throttle, '203.0.113.1'), true);
      clock.advance(10_000);
    }
    assert.throws(() => throttle.check('203.0.113.1'), { code: 'too-many-requests', retryAfterSeconds: 30 });
    assert.equal(attempt(throttle, '203.0.113.2'), true, 'others are not affected');
    clock.advance(30_000);
    assert.equal(attempt(throttle, '203.0.113.1'), true, 'the window slides');
    assert.equal(attempt(throttle, '203.0.113.1'), false);
  });

  it('counts all clients together', () => {
    const throttle = createThrottle({ clock: manualClock(), maxPerClient: 5, maxInAll: 10 });
    const results = Array.from({ length: 20 }, (_, index) => attempt(throttle, `203.0.113.${index}`));
    assert.deepEqual(results.filter(Boolean).length, 10);
    assert.equal(throttle.size, 10);
  });

  it('takes an IPv6 network for one client, and IPv4 in IPv6 for IPv4', () => {
    const throttle = createThrottle({ clock: manualClock(), maxPerClient: 1 });
    assert.equal(attempt(throttle, '2001:db8:1:2::1'), true);
    assert.equal(attempt(throttle, '2001:db8:1:2:ffff::9'), false);
    assert.equal(attempt(throttle, '2001:db8:1:3::1'), true);
    assert.equal(attempt(throttle, '198.51.100.7'), true);
    assert.equal(attempt(throttle, '::ffff:198.51.100.7'), false);
    assert.equal(attempt(throttle, 'nonsense'), true);
    assert.equal(attempt(throttle, ''), false, 'what has no address is one client');
  });

  it('never lets more than the limits into any window and never remembers more than it lets in', () => {
    const step = fc.record({ waitMs: fc.nat(400), client: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const clock = manualClock();
        const throttle = createThrottle({ clock, windowMs: 1000, maxPerClient: 4, maxInAll: 9 });
        const accepted: { atMs: number; client: number }[] = [];
        for (const { waitMs, client } of steps) {
          clock.advance(waitMs);
          if (attempt(throttle, `198.51.100.${client}`)) accepted.push({ atMs: clock.nowMs(), client });
          const inWindow = accepted.filter(({ atMs }) => atMs > clock.nowMs() - 1000);
          assert.ok(inWindow.length <= 9);
          assert.ok(inWindow.filter((one) => one.client === client).length <= 4);
          assert.ok(throttle.size <= 9);
        }
      }),
    );
  });
});
