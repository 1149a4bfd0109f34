// The Gaussian process behind proposals: it knows what it was shown, doubts what it was not, and follows smooth functions.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { expectedImprovement, fitSurrogate, normalShare } from './surrogate.ts';

function hills(point: Float64Array): number {
  return Math.sin(5 * point[0]!) + point[1]! ** 2;
}

function pointsOf(count: number, seed: number): Float64Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Float64Array.of(random.next(), random.next()));
}

test('a smooth function is known near its points, and between them with honest doubt', () => {
  const points = pointsOf(40, 1);
  const surrogate = fitSurrogate(points, points.map(hills));
  for (const point of points) assert.ok(Math.abs(surrogate(point).mean - hills(point)) < 0.1);
  const others = pointsOf(300, 2).map((point) => ({ ...surrogate(point), value: hills(point) }));
  const errors = others.map(({ mean, value }) => (mean - value) ** 2);
  assert.ok(errors.reduce((sum, error) => sum + error, 0) / errors.length < 0.01);
  const covered = others.filter(({ mean, deviation, value }) => Math.abs(mean - value) < 3 * deviation);
  assert.ok(covered.length > 285, `${covered.length} of 300 within three deviations`);
});

test('doubt grows with the distance from what is known', () => {
  const surrogate = fitSurrogate(
    [Float64Array.of(0), Float64Array.of(0.1), Float64Array.of(0.2)],
    [1, 2, 1.5],
  );
  const doubts = [0.1, 0.4, 0.7, 1].map((at) => surrogate(Float64Array.of(at)).deviation);
  for (let index = 1; index < doubts.length; index++) assert.ok(doubts[index]! > doubts[index - 1]!);
});

test('noise is told from signal: of equal points with different values, the middle is believed', () => {
  const random = seededRandom(4);
  const points = Array.from({ length: 30 }, (_, index) => Float64Array.of(index % 2));
  const values = points.map((point) => point[0]! + (random.next() - 0.5) * 0.4);
  const surrogate = fitSurrogate(points, values);
  assert.ok(Math.abs(surrogate(Float64Array.of(0)).mean) < 0.1);
  assert.ok(Math.abs(surrogate(Float64Array.of(1)).mean - 1) < 0.1);
});

test('where nothing made a difference, nothing is promised', () => {
  const surrogate = fitSurrogate(pointsOf(5, 3), [2, 2, 2, 2, 2]);
  assert.deepEqual(surrogate(Float64Array.of(0.5, 0.5)), { mean: 2, deviation: 0 });
});

test('values that are all equal, and points that are all equal, give finite expectations', () => {
  const same = [Float64Array.of(0.5, 0.5), Float64Array.of(0.5, 0.5)];
  for (const values of [
    [3, 3],
    [1, 5],
  ]) {
    const { mean, deviation } = fitSurrogate(same, values)(Float64Array.of(0.2, 0.9));
    assert.ok(Number.isFinite(mean) && Number.isFinite(deviation));
  }
});

test('the share of the normal distribution is that of the tables', () => {
  for (const [z, share] of [
    [0, 0.5],
    [1, 0.8413447461],
    [-1.959963985, 0.025],
    [3, 0.9986501],
  ] as const)
    assert.ok(Math.abs(normalShare(z) - share) < 2e-7);
});

test('the expected improvement is the mean of what draws improve', () => {
  const random = seededRandom(7);
  const expectation = { mean: 0.3, deviation: 0.8 };
  let sum = 0;
  const draws = 200_000;
  for (let draw = 0; draw < draws; draw++) {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    sum += Math.max(0, expectation.mean + expectation.deviation * normal - 0.9);
  }
  assert.ok(Math.abs(sum / draws - expectedImprovement(expectation, 0.9)) < 0.005);
  assert.equal(expectedImprovement({ mean: 1, deviation: 0 }, 0.4), 0.6);
});
