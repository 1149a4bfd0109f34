// Neural networks: the steps against derivatives by differences, the portable model against the network that was taught,
// and when teaching ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { addAnswer, type NetworkLink, type NetworkModel } from '../model/network.ts';
import { networkInputs, writeInputs } from './network-inputs.ts';
import { networkModel } from './network-model.ts';
import { openSteps } from './network-steps.ts';
import { weightShapes, type NetworkShape, type NetworkWeights } from './network-weights.ts';
import { network } from './network.ts';
import { answersFor, featureTable, trainingOn } from './testing.ts';

const rowCount = 64;
const random = seededRandom(8);
const numbers = Float64Array.from({ length: rowCount }, () => (random.next() < 0.1 ? NaN : random.next()));
const whole = Float64Array.from({ length: rowCount }, () => random.below(100));
const category = Float64Array.from({ length: rowCount }, () => random.below(3));
const { features } = featureTable([numbers, whole, category, category], { 2: 5 });
const words = Uint8Array.from({ length: rowCount }, () => random.below(4));
const table = { rowCount, features, columns: [numbers, whole, category, words] };
const rows = Int32Array.from({ length: rowCount }, (_, row) => row);
const inputs = networkInputs(table, rows, 6);

function shapeFor(link: NetworkLink): NetworkShape {
  const rawCount = link === 'softmax' ? 3 : 1;
  return {
    inputCount: inputs.count,
    width: 5,
    headCount: 3,
    blockCount: 2,
    rawCount,
    batchRows: rowCount,
    link,
  };
}

function randomWeights(shape: NetworkShape): NetworkWeights {
  return Object.fromEntries(
    Object.entries(weightShapes(shape)).map(([name, sizes]) => [
      name,
      Float32Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () => 2 * random.next() - 0.8),
    ]),
  );
}

function batchFor({ inputCount, rawCount, link }: NetworkShape) {
  const out = new Float32Array(rowCount * inputCount);
  for (const row of rows) writeInputs(inputs, table, row, { out, start: row * inputCount });
  const truth = new Float32Array(rowCount * rawCount);
  for (const row of rows)
    if (link === 'softmax') truth[row * 3 + category[row]!] = 1;
    else truth[row] = link === 'logistic' ? Number(whole[row]! > 50) : whole[row]! / 50;
  return { inputs: out, truth, importance: Float32Array.from(rows, (row) => 0.5 + (row % 3)) };
}

const rules = { learningRate: 0.001, weightDecay: 0 };

for (const link of ['identity', 'logistic', 'softmax'] as const)
  test(`${link}: the model answers as the network that was taught`, async () => {
    const shape = shapeFor(link);
    const weights = randomWeights(shape);
    const steps = await openSteps(shape, weights, rules);
    const scores = steps.scores(batchFor(shape).inputs);
    steps.close();
    const model = networkModel({ inputs, shape, scaling: { centre: 0, spread: 1 } }, weights);
    const task = link === 'identity' ? 'regression' : link === 'logistic' ? 'binary' : 'multiclass';
    const answers = answersFor(model, table, { task, classCount: shape.rawCount === 3 ? 3 : 2 });
    const width = answers.length / rowCount;
    for (const row of rows) {
      const expected = new Float64Array(width);
      for (let head = 0; head < shape.headCount; head++) {
        const place = (head * rowCount + row) * shape.rawCount;
        addAnswer(link, Float64Array.from(scores.subarray(place, place + shape.rawCount)), expected);
      }
      for (let k = 0; k < width; k++) {
        const value = expected[k]! / shape.headCount;
        assert.ok(Math.abs(answers[row * width + k]! - value) < 2e-4 * Math.max(1, Math.abs(value)));
      }
    }
  });

for (const link of ['identity', 'logistic', 'softmax'] as const)
  test(`${link}: the first step goes down every slope by the learning rate`, async () => {
    const shape = shapeFor(link);
    const weights = randomWeights(shape);
    const batch = batchFor(shape);
    const lossAt = async (at: NetworkWeights): Promise<number> => {
      const steps = await openSteps(shape, at, rules);
      const loss = steps.step(batch);
      steps.close();
      return loss;
    };
    const steps = await openSteps(shape, weights, rules);
    steps.step(batch);
    const after = steps.weights();
    steps.close();
    for (const name of ['first', 'firstScales', 'weights1', 'outScales0', 'lastWeights']) {
      const index = random.below(weights[name]!.length);
      const moved = (by: number): NetworkWeights => {
        const values = weights[name]!.slice();
        values[index]! += by;
        return { ...weights, [name]: values };
      };
      const slope = ((await lossAt(moved(0.01))) - (await lossAt(moved(-0.01)))) / 0.02;
      if (Math.abs(slope) < 0.005) continue;
      const change = after[name]![index]! - weights[name]![index]!;
      const expected = -Math.sign(slope) * rules.learningRate;
      assert.ok(Math.abs(change - expected) < 2e-5, `${name}: ${change} at slope ${slope}`);
    }
  });

test('it learns what no weighted sum can', async () => {
  const a = Float64Array.from({ length: 400 }, () => random.next() - 0.5);
  const b = Float64Array.from({ length: 400 }, () => random.next() - 0.5);
  const target = a.map((value, row) => Number(value * b[row]! > 0));
  const hyperparameters = { width: 16, heads: 2, blocks: 1, epochs: 40, learningRate: 0.01 };
  const validationRows = Int32Array.from({ length: 100 }, (_, index) => 300 + index);
  const input = trainingOn(featureTable([a, b]), 'binary', target, {
    rows: Int32Array.from({ length: 300 }, (_, row) => row),
    validationRows,
    hyperparameters,
  });
  const { model, curve, iterationCount } = await network.train(input);
  const answers = answersFor(model, input.table, input);
  const right = validationRows.filter((row) => answers[row * 2 + 1]! > 0.5 === (target[row] === 1));
  assert.ok(right.length >= 90, `${right.length} of 100 are right`);
  const best = curve.reduce((least, point) =>
    point.validationScore < least.validationScore ? point : least,
  );
  assert.equal(iterationCount, best.iteration, 'the best epoch is kept');
});

test('it stops without progress, or at its deadline', async () => {
  const noise = Float64Array.from({ length: 200 }, () => random.next());
  const target = Float64Array.from({ length: 200 }, () => random.next());
  const small = { width: 8, heads: 2, blocks: 0, knots: 32, learningRate: 0.05 };
  const input = trainingOn(featureTable([noise]), 'regression', target, {
    validationRows: Int32Array.from({ length: 60 }, (_, row) => row),
    rows: Int32Array.from({ length: 140 }, (_, row) => 60 + row),
    hyperparameters: { ...small, patience: 2, epochs: 500 },
  });
  const stopped = await network.train(input);
  assert.equal(stopped.endedBy, 'early-stopping');
  assert.equal(stopped.curve.length, stopped.iterationCount + 2);
  let nowMs = 0;
  const clock = { ...input.control.clock, monotonicMs: () => nowMs++ };
  const late = await network.train({ ...input, control: { ...input.control, clock, deadlineMs: 12 } });
  assert.equal(late.endedBy, 'deadline');
  assert.ok(late.iterationCount <= 2 && answersFor(late.model, input.table, input).every(Number.isFinite));
});

test('what was never seen has the vector of the average', async () => {
  const { columns } = table;
  const input = trainingOn({ ...table, columns: [whole, ...columns.slice(1)] }, 'regression', whole, {
    hyperparameters: { width: 4, heads: 1, blocks: 1, epochs: 2 },
  });
  const model = (await network.train(input)).model as NetworkModel;
  const { levelVectors, width } = model;
  const unseen = levelVectors.slice(3 * width, 4 * width);
  assert.deepEqual(levelVectors.slice(4 * width, 5 * width), unseen, 'other');
  assert.deepEqual(levelVectors.slice(5 * width), unseen, 'missing');
  const missing = answersFor(
    model,
    featureTable(
      [NaN, NaN, 1, 0].map((value) => Float64Array.of(value)),
      { 2: 5 },
    ),
    input,
  );
  const average = answersFor(
    model,
    featureTable(
      [model.centre[0]!, model.centre[1]!, 1, 0].map((value) => Float64Array.of(value)),
      { 2: 5 },
    ),
    input,
  );
  assert.ok(Math.abs(missing[0]! - average[0]!) < 1e-4 * Math.abs(average[0]!));
});
