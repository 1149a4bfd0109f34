import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ModelContent } from '../model/manifest.ts';
import { predictorOf } from '../model/predictor.ts';
import { search } from '../search/search.ts';
import { findCounterfactuals, type CounterfactualQuestion } from './counterfactuals.ts';

/** A loan is granted where income less debt is above 20 and there is a job. */
async function loans(target: 'granted' | 'limit'): Promise<ModelContent> {
  const random = seededRandom(8);
  const rows = Array.from({ length: 900 }, () => {
    const row = {
      income: 10 + random.next() * 80,
      debt: random.next() * 40,
      job: random.next() < 0.7,
      city: 'abc'[random.below(3)]!,
    };
    const left = row.income - row.debt;
    return { ...row, granted: row.job && left > 20 ? 'yes' : 'no', limit: row.job ? left * 3 : 0 };
  });
  const frame = frameFromRows(rows, [
    { name: 'income', kind: 'numeric' },
    { name: 'debt', kind: 'numeric' },
    { name: 'job', kind: 'boolean' },
    { name: 'city', kind: 'categorical' },
    { name: 'granted', kind: 'categorical' },
    { name: 'limit', kind: 'numeric' },
  ]);
  const { model } = await search({
    frame,
    recipe: {
      target,
      task: 'auto',
      metric: 'auto',
      budget: { trials: 3 },
      seed: 1,
      folds: 3,
      excludedColumns: [target === 'granted' ? 'limit' : 'granted'],
    },
    clock: systemClock,
  });
  return model;
}

const poor = { income: 30, debt: 25, job: true, city: 'a' };
const asking: CounterfactualQuestion = {
  row: poor,
  wanted: { class: 'yes' },
  fixed: [],
  increasing: [],
  decreasing: [],
  ranges: [],
  mostChanges: 3,
};

test('the changes that are named work, are few, and keep to what cannot change', async () => {
  const model = await loans('granted');
  const { predictRows } = predictorOf(model);
  const answers = (question: Partial<CounterfactualQuestion>): ReturnType<typeof findCounterfactuals> => {
    const asked = { ...asking, ...question };
    const answer = findCounterfactuals(model, asked);
    for (const { changes, prediction } of answer.counterfactuals) {
      const changed = Object.fromEntries(changes.map(({ column, to }) => [column, to]));
      const again = predictRows([{ ...asked.row, ...changed }]).predictions[0]!;
      assert.deepEqual(again, prediction);
      assert.equal(again.prediction, 'yes');
      for (const { column, from, to } of changes) {
        assert.ok(!asked.fixed.includes(column));
        if (asked.increasing.includes(column)) assert.ok(Number(to) > Number(from));
        if (asked.decreasing.includes(column)) assert.ok(Number(to) < Number(from));
      }
    }
    return answer;
  };
  const free = answers({});
  assert.equal(free.prediction.prediction, 'no');
  assert.ok(free.counterfactuals.length >= 2);
  assert.ok(free.counterfactuals.every(({ changes }) => changes.length === 1));
  const income = answers({ fixed: ['debt'], increasing: ['income'] }).counterfactuals[0]!;
  assert.equal(income.changes[0]!.column, 'income');
  // It need not be more than what makes the difference, by and large.
  assert.ok(Number(income.changes[0]!.to) > 40 && Number(income.changes[0]!.to) < 60, JSON.stringify(income));
  const jobless = answers({ row: { ...poor, income: 70, job: false } }).counterfactuals[0]!;
  assert.deepEqual(
    jobless.changes.map(({ column, to }) => [column, to]),
    [['job', true]],
  );
  const both = answers({ row: { ...poor, job: false }, fixed: ['city'] });
  assert.ok(both.counterfactuals.length > 0 && both.counterfactuals[0]!.changes.length === 2);
});

test('where nothing allowed helps, none is named; what is wanted already needs no change', async () => {
  const model = await loans('granted');
  const none = findCounterfactuals(model, {
    ...asking,
    row: { ...poor, job: false },
    fixed: ['job'],
    // Of those with the highest incomes and no debt the model is not sure enough.
    ranges: [{ column: 'income', from: 10, to: 50 }],
  });
  assert.deepEqual(none.counterfactuals, []);
  assert.ok(none.triedCount > 50 && !none.isWantedAlready);
  const narrow = findCounterfactuals(model, {
    ...asking,
    fixed: ['debt', 'job', 'city'],
    ranges: [{ column: 'income', from: 25, to: 35 }],
  });
  assert.deepEqual(narrow.counterfactuals, []);
  assert.ok(findCounterfactuals(model, { ...asking, wanted: { class: 'no' } }).isWantedAlready);
});

test('numbers can be wanted above or below', async () => {
  const model = await loans('limit');
  const question = { ...asking, wanted: { atLeast: 60 } };
  const { counterfactuals } = findCounterfactuals(model, question);
  assert.ok(counterfactuals.length > 0);
  for (const { prediction } of counterfactuals) assert.ok(Number(prediction.prediction) >= 60);
  const less = findCounterfactuals(model, {
    ...asking,
    row: { ...poor, income: 80 },
    wanted: { atMost: 90 },
  });
  assert.ok(Number(less.counterfactuals[0]!.prediction.prediction) <= 90);
});

test('questions that do not fit the model are refused by field', async () => {
  const model = await loans('granted');
  const refuses = (question: Partial<CounterfactualQuestion>, field: string): void =>
    assert.throws(
      () => findCounterfactuals(model, { ...asking, ...question }),
      (error: Problem) => error.code === 'invalid-request' && error.errors?.[0]?.field === field,
    );
  refuses({ wanted: { class: 'maybe' } }, 'wanted');
  refuses({ wanted: { atLeast: 3 } }, 'wanted');
  refuses({ fixed: ['nose'] }, 'fixed');
  refuses({ increasing: ['city'] }, 'increasing');
  refuses({ ranges: [{ column: 'income', from: 3, to: 1 }] }, 'ranges');
  assert.throws(
    () => findCounterfactuals(model, { ...asking, row: { income: 'much' } }),
    (error: Problem) => error.code === 'prediction-input',
  );
});
