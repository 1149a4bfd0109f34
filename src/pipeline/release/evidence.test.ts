// The statistics behind automatic roll-backs, by simulation: how often a good candidate is called worse though it is looked
// at after every request, and how soon a bad one is.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { answersShift, chanceOf, limitOf, logEvidence, shareRadius } from './evidence.ts';

interface Simulated {
  runs: number;
  requests: number;
  candidateShare: number;
  candidateErrors: number;
  currentErrors: (place: number) => number;
  alpha: number;
}

/** Runs releases with a look after each error; the requests after which each was called worse. */
function simulate(options: Simulated, seed: number): number[] {
  const random = seededRandom(seed);
  const alarms: number[] = [];
  for (let run = 0; run < options.runs; run++) {
    let [trials, hits] = [0, 0];
    for (let place = 0; place < options.requests; place++) {
      const isCandidate = random.next() < options.candidateShare;
      const errorShare = isCandidate ? options.candidateErrors : options.currentErrors(place);
      if (random.next() >= errorShare) continue;
      trials++;
      if (isCandidate) hits++;
      if (logEvidence([{ trials, hits, nullShare: options.candidateShare }]) < limitOf(options.alpha))
        continue;
      alarms.push(place + 1);
      break;
    }
  }
  return alarms;
}

suite('a candidate that is as good', () => {
  test('is called worse in at most the stated share of releases, looked at all the time', () => {
    for (const candidateShare of [0.05, 0.5]) {
      const alarms = simulate(
        {
          runs: 1000,
          requests: 2000,
          candidateShare,
          candidateErrors: 0.05,
          currentErrors: () => 0.05,
          alpha: 0.05,
        },
        7,
      );
      assert.ok(alarms.length <= 50, `${alarms.length} of 1000 at a share of ${candidateShare}`);
    }
  });

  test('stays so over steps of a release and through a day with an outage that both see', () => {
    const random = seededRandom(11);
    const shares = [0.05, 0.25, 0.5];
    let alarmCount = 0;
    for (let run = 0; run < 600; run++) {
      const strata = shares.map((nullShare) => ({ trials: 0, hits: 0, nullShare }));
      for (let place = 0; place < 1500; place++) {
        const stratum = strata[Math.floor(place / 500)]!;
        const errorShare = place > 400 && place < 600 ? 0.5 : 0.02;
        const isCandidate = random.next() < stratum.nullShare;
        if (random.next() >= errorShare) continue;
        stratum.trials++;
        if (isCandidate) stratum.hits++;
        if (logEvidence(strata) < limitOf(0.05)) continue;
        alarmCount++;
        break;
      }
    }
    assert.ok(alarmCount <= 30, `${alarmCount} of 600`);
  });

  test('does not move the answers beyond chance', () => {
    const random = seededRandom(13);
    let alarmCount = 0;
    for (let run = 0; run < 200; run++) {
      const counts = { candidate: Array<number>(10).fill(0), current: Array<number>(10).fill(0) };
      for (let place = 0; place < 1000; place++) {
        const bin = random.below(10);
        (random.next() < 0.5 ? counts.candidate : counts.current)[bin]!++;
        if (place % 10 !== 0 || answersShift(counts, 'numbers', 0.05).atLeast === 0) continue;
        alarmCount++;
        break;
      }
    }
    assert.ok(alarmCount <= 10, `${alarmCount} of 200`);
  });
});

suite('a candidate that is worse', () => {
  test('is found within the stated number of requests', () => {
    // One in ten instead of one in a hundred, 5 % of the traffic, an alarm in 400 releases by mistake.
    const alarms = simulate(
      {
        runs: 200,
        requests: 4000,
        candidateShare: 0.05,
        candidateErrors: 0.1,
        currentErrors: () => 0.01,
        alpha: 0.0025,
      },
      17,
    );
    assert.ok(alarms.length >= 190, `${alarms.length} of 200 within 4,000 requests`);
    const median = alarms.toSorted((one, other) => one - other)[Math.floor(alarms.length / 2)]!;
    assert.ok(median <= 2000, `half of them within ${median} requests`);
  });

  test('is found within a few of its own requests when it answers nothing', () => {
    const alarms = simulate(
      {
        runs: 100,
        requests: 400,
        candidateShare: 0.05,
        candidateErrors: 1,
        currentErrors: () => 0.001,
        alpha: 0.0025,
      },
      19,
    );
    assert.equal(alarms.length, 100);
    assert.ok(Math.max(...alarms) * 0.05 <= 20, `at most ${Math.max(...alarms)} requests`);
  });

  test('whose answers went elsewhere is found by them', () => {
    const counts = { candidate: [0, 0, 400], current: [400, 400, 400] };
    const { measured, atLeast } = answersShift(counts, 'classes', 0.0025);
    assert.ok(Math.abs(measured - 2 / 3) < 1e-12 && atLeast > 0.2, `${measured}, at least ${atLeast}`);
  });
});

test('evidence grows with hits, and nothing seen is none', () => {
  assert.ok(Math.abs(logEvidence([])) < 1e-9);
  assert.ok(Math.abs(logEvidence([{ trials: 0, hits: 0, nullShare: 0.3 }])) < 1e-9);
  assert.equal(chanceOf(-3), 1);
  const stratum = fc.record({
    trials: fc.integer({ min: 1, max: 10_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    nullShare: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(stratum, ({ trials, share, nullShare }) => {
      const hits = Math.floor(share * (trials - 1));
      const [fewer, more] = [hits, hits + 1].map((count) =>
        logEvidence([{ trials, hits: count, nullShare }]),
      );
      assert.ok(Number.isFinite(fewer!) && fewer! < more!);
    }),
  );
});

test('what a share may be off by shrinks with more rows', () => {
  assert.equal(shareRadius(0, 0.01), 1);
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 1_000_000 }), (count) => {
      assert.ok(shareRadius(2 * count, 0.01) < shareRadius(count, 0.01));
    }),
  );
});
