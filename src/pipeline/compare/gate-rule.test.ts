// The rule language: what it takes, what it refuses and where, and what it says of figures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { judge, measureWords, readRule, type Result } from './gate-rule.ts';

const share = { value: 0.03, lower: 0.02, upper: 0.05 };

const result: Result = {
  rowCount: 1000,
  loggedRowCount: 1000,
  loggedShare: 1,
  replayedShare: 1,
  redactedRowCount: 0,
  redactedColumns: [],
  unreadableRowCount: 0,
  unanswered: { value: 0, lower: 0, upper: 0.004, count: 0 },
  unansweredReasons: [],
  notes: [],
  decision: { kind: 'class', threshold: null, positiveClass: 'yes', tolerance: null },
  flipped: { ...share, count: 30 },
  moves: [{ from: 'no', to: 'yes', count: 30 }],
  outcomes: null,
  money: {
    currency: 'EUR',
    costsOf: 'answering',
    lost: { value: -120, lower: -200, upper: -40 },
    atStake: 400,
    knownRowCount: 0,
  },
  segments: [
    {
      column: 'city',
      segment: 'Oulu',
      rowCount: 100,
      flipped: { value: 0.12, lower: 0.07, upper: 0.2, count: 12 },
      lostMoney: 3,
    },
  ],
  flipCount: 30,
};

test('checks are read with percent signs, plain numbers and any spacing', () => {
  assert.deepEqual(readRule('flipped <= 2% and lost_money<=0  AND worst_segment < .05'), [
    { measure: 'flipped', comparator: '<=', limit: 0.02 },
    { measure: 'lost_money', comparator: '<=', limit: 0 },
    { measure: 'worst_segment', comparator: '<', limit: 0.05 },
  ]);
});

test('what cannot be read is refused with its place', () => {
  const places: [string, number, RegExp][] = [
    ['', 1, /expected a measure/],
    ['fliped <= 2%', 1, /"fliped" is no measure; there are flipped/],
    ['flipped = 2%', 9, /"=" has no meaning/],
    ['flipped <= 2', 12, /write 2%/],
    ['flipped <= ', 11, /expected a number/],
    ['flipped <= 2% or rows > 3', 15, /expected "and"/],
    ['flipped <= 2% and', 18, /expected a measure/],
    ['lost_money <= 2%', 16, /is money, not a share/],
    ['flipped <= 200%', 12, /no share is more/],
    ['flipped 2%', 9, /expected <=/],
    ['constructor <= 2', 1, /is no measure/],
  ];
  for (const [text, character, message] of places)
    assert.throws(
      () => readRule(text),
      (error) =>
        error instanceof Problem &&
        error.code === 'invalid-request' &&
        error.message.includes(`at character ${character}:`) &&
        message.test(error.message),
      text,
    );
});

test('any text is either read or refused as a request', () => {
  const pieces = fc.constantFrom('flipped', 'and', '<=', '>', '2', '%', ' ', 'x', '-', '.', 'rows', '(', "'");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((all) => all.join(' ')),
      ),
      (text) => {
        try {
          assert.ok(readRule(text).length > 0);
        } catch (error) {
          assert.ok(error instanceof Problem && error.code === 'invalid-request', String(error));
        }
      },
    ),
  );
});

test('a verdict gives figures, and what is not known does not pass', () => {
  const verdict = judge(
    'flipped <= 2% and lost_money <= 0 and worst_segment <= 5% and lost_accuracy <= 0',
    result,
  );
  assert.equal(verdict.passed, false);
  assert.deepEqual(
    verdict.checks.map(({ passed }) => passed),
    [false, true, false, false],
  );
  assert.match(
    verdict.reasons[0]!,
    /^3% of the requests are decided otherwise \(30 of 1,000; .*at most 2%\.$/,
  );
  assert.match(verdict.reasons[1]!, /12% flip where city is Oulu/);
  assert.match(verdict.reasons[2]!, /Send outcomes/);
  assert.equal(judge('flipped <= 5% and rows >= 100', result).passed, true);
  assert.equal(judge('flipped <= 5%', { ...result, rowCount: 0 }).passed, false);
  assert.equal(judge('lost_money <= 0', { ...result, money: null }).passed, false);
});

test('every measure has words and can be judged', () => {
  for (const { name, words } of measureWords) {
    assert.ok(words.length > 0);
    assert.equal(judge(`${name} >= 0`, result).checks.length, 1);
  }
});
