// The model that categorical boosting leaves, as a file: it comes back with the same bits, answers batches and single
// rows alike, is refused when tampered with, and its explanations add up and name the column behind a statistic.
import assert from 'node:assert/strict';
import test from 'node:test';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import type { Problem } from '../../base/problems.ts';
import { explainerOf } from '../explain/attributions.ts';
import { encodeFrame } from '../frame/encoding.ts';
import { frameFromRows } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { readContainer, writeContainer, type SectionArray } from '../model/container.ts';
import type { ModelContent } from '../model/manifest.ts';
import { openModel, readModel, writeModel } from '../model/model.ts';
import { predictorOf } from '../model/predictor.ts';
import { search } from '../search/search.ts';
import { categoricalBoosting } from './categorical-boosting.ts';
import { pauseBy } from './learner.ts';

const random = seededRandom(21);
const rows = Array.from({ length: 900 }, () => {
  const city = random.below(40);
  const size = random.next();
  const level = (city % 4) + size + random.next();
  return {
    size,
    city: random.next() < 0.05 ? null : `city ${city}`,
    colour: 'abc'[random.below(3)]!,
    two: level > 2.4 ? 'yes' : 'no',
    three: level > 3.4 ? 'high' : level > 1.6 ? 'middle' : 'low',
    amount: level,
  };
});
const schema: ColumnSchema[] = [
  { name: 'size', kind: 'numeric' },
  { name: 'city', kind: 'categorical' },
  { name: 'colour', kind: 'categorical' },
  { name: 'two', kind: 'categorical' },
  { name: 'three', kind: 'categorical' },
  { name: 'amount', kind: 'numeric' },
];
const frame = frameFromRows(rows, schema);
const targets = ['two', 'three', 'amount'] as const;

/** A search's model of one trial, with its member replaced. */
async function contentFor(target: (typeof targets)[number]): Promise<ModelContent> {
  const excludedColumns = targets.filter((name) => name !== target);
  const { model, task } = await search({
    frame,
    recipe: {
      target,
      task: 'auto',
      metric: 'auto',
      budget: { trials: 1 },
      seed: 1,
      folds: 2,
      excludedColumns,
    },
    clock: systemClock,
  });
  assert.ok(task !== 'ranking');
  const { classes, encoding } = model.manifest;
  const hyperparameters = { iterations: 40, statisticsAbove: 8 };
  const trained = await categoricalBoosting.train({
    table: encodeFrame(frame, encoding),
    task,
    target: Float64Array.from(rows, (row) =>
      target === 'amount' ? row.amount : classes.indexOf(row[target]),
    ),
    classCount: classes.length,
    rows: Int32Array.from(rows, (_, row) => row),
    hyperparameters,
    seed: 2,
    control: { clock: systemClock, pause: pauseBy(systemClock) },
  });
  const { name, label } = categoricalBoosting.spec;
  return {
    ...model,
    members: [{ learner: name, label, hyperparameters, weight: 1, models: [trained.model] }],
  };
}

const contents = await Promise.all(targets.map(contentFor));
const asked: Record<string, unknown>[] = [
  ...rows.slice(0, 60).map(({ size, city, colour }) => ({ size, city, colour })),
  { size: 0.4, city: 'nowhere', colour: 'z' },
  { city: 'city 3' },
  {},
];

test('a file comes back with the same bytes and answers; batches and single rows have the same bits', async () => {
  for (const content of contents) {
    const bytes = await writeModel(content);
    assert.deepEqual(await writeModel(await readModel(bytes)), bytes);
    const { predictions } = predictorOf(content).predictRows(asked);
    const opened = await openModel(bytes);
    assert.deepEqual(opened.predictRows(asked).predictions, predictions);
    asked.forEach((row, index) =>
      assert.deepEqual(opened.predictRows([row]).predictions, [predictions[index]]),
    );
  }
});

test('questions about statistics are sets of categories; whoever changes them is refused', async () => {
  for (const content of contents) {
    const { document, sections } = await readContainer(await writeModel(content));
    const array = (of: ReadonlyMap<string, SectionArray>, name: string): SectionArray =>
      of.get(`0/0/${name}`)!;
    const asksOfCity = array(sections, 'feature').findIndex((feature) => feature === 1);
    const lies: [string, (changed: Map<string, SectionArray>) => void][] = [
      ['a set that is not there', (changed) => (array(changed, 'sets')[asksOfCity] = 1e6)],
      ['half a set', (changed) => changed.set('0/0/categorySets', array(changed, 'categorySets').slice(1))],
      ['a number in place of a category', (changed) => (array(changed, 'flags')[asksOfCity] = 0)],
      ['a feature that is not there', (changed) => (array(changed, 'feature')[asksOfCity] = 900)],
      ['a threshold for a category', (changed) => (array(changed, 'threshold')[asksOfCity] = 1)],
      ['a leaf without rows', (changed) => (array(changed, 'leafRowCounts')[0] = 0)],
      [
        'other categories',
        (changed) =>
          changed.set(
            '0/0/categorySets',
            array(changed, 'categorySets').map((word) => ~word),
          ),
      ],
    ];
    for (const [what, lie] of lies) {
      const changed = new Map([...sections].map(([name, one]) => [name, one.slice() as SectionArray]));
      lie(changed);
      await assert.rejects(
        writeContainer(document, changed).then(openModel),
        (error: Problem) => error.code === 'model-file-invalid',
        what,
      );
    }
  }
});

test('explanations add up, and name the city, not a statistic', () => {
  for (const content of contents) {
    const { predictions } = predictorOf(content).predictRows(asked);
    const sizes = new Map<string, number>();
    explainerOf(content)(asked).forEach(({ base, prediction, contributions, outcome }, index) => {
      const answer = predictions[index]!;
      const said = answer.probabilities ? answer.probabilities[outcome]! : (answer.prediction as number);
      const sum = contributions.reduce((total, one) => total + one.contribution, base);
      assert.ok(Math.abs(prediction - said) < 1e-9 && Math.abs(sum - said) < 1e-9, `${sum} is not ${said}`);
      for (const { column, contribution } of contributions)
        sizes.set(column, (sizes.get(column) ?? 0) + Math.abs(contribution));
    });
    assert.deepEqual([...sizes.keys()].sort(), ['city', 'colour', 'size']);
    assert.ok(sizes.get('city')! > sizes.get('colour')!);
  }
});
