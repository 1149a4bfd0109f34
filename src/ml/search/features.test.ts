// Features from a frame to an opened model file: every kind of column, derived features named by their columns, and no
// leak from targets that are pure chance.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { explainerOf } from '../explain/attributions.ts';
import { copyFeatureRow } from '../frame/encoding.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { ColumnSchema } from '../frame/schema.ts';
import { pauseBy } from '../learners/learner.ts';
import { learners } from '../learners/learners.ts';
import { modelCard } from '../model/card.ts';
import { openModel, readModel, writeModel } from '../model/model.ts';
import { readManifest } from '../model/read-manifest.ts';
import { applyModel } from '../model/row-model.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';
import { trialContext } from './testing.ts';
import { runTrial } from './trial.ts';

const recipe: Recipe = {
  target: 'y',
  task: 'auto',
  metric: 'auto',
  budget: { trials: 4 },
  seed: 3,
  folds: 3,
};

/** A score in cross-validation, of a learner as it comes. */
async function scoreOf(frame: Frame, learner: string): Promise<number> {
  const context = trialContext(prepare(frame, recipe));
  const candidate = { learner, label: learner, hyperparameters: {}, timeShare: 1, isExploring: false };
  const { report } = await runTrial(context, candidate, 1, 1);
  assert.equal(report.state, 'finished', report.problem?.detail);
  return report.score!;
}

/** Rows of 700 cities, three rows or so each, and an answer. */
function cityFrame(answerOf: (city: number, chance: number) => boolean): Frame {
  const random = seededRandom(6);
  const rows = Array.from({ length: 2400 }, () => {
    const city = random.below(700);
    return { city: `city ${city}`, x: random.next(), y: answerOf(city, random.next()) ? 'yes' : 'no' };
  });
  return frameFromRows(rows, [
    { name: 'city', kind: 'categorical' },
    { name: 'x', kind: 'numeric' },
    { name: 'y', kind: 'categorical' },
  ]);
}

for (const learner of ['boosted-trees', 'extra-trees', 'linear']) {
  test(`${learner}: many categories of a target that is chance score as chance, those that matter far above`, async () => {
    const chance = await scoreOf(
      cityFrame((_, chanceOf) => chanceOf < 0.5),
      learner,
    );
    // Four standard errors of an AUC of 1,920 rows.
    assert.ok(Math.abs(chance - 0.5) < 0.053, `AUC ${chance}`);
    const real = await scoreOf(
      cityFrame((city, chanceOf) => chanceOf < (city % 2 ? 0.9 : 0.1)),
      learner,
    );
    assert.ok(real > 0.7, `AUC ${real}`);
  });
}

const wideSchema: ColumnSchema[] = [
  { name: 'ordered_on', kind: 'date' },
  { name: 'sent_on', kind: 'date' },
  { name: 'created_ts', kind: 'numeric' },
  { name: 'city', kind: 'categorical' },
  { name: 'note', kind: 'text' },
  { name: 'price', kind: 'numeric' },
  { name: 'y', kind: 'numeric' },
];

function wideRows(): Record<string, unknown>[] {
  const random = seededRandom(12);
  return Array.from({ length: 500 }, (_, index) => {
    const orderedMs = Date.UTC(2024, 0, 1) + random.below(500) * 86_400_000;
    const delayDays = random.below(12);
    const city = random.below(120);
    const isAngry = random.next() < 0.4;
    return {
      ordered_on: new Date(orderedMs).toISOString(),
      sent_on: index % 20 ? new Date(orderedMs + delayDays * 86_400_000).toISOString() : null,
      created_ts: 1_700_000_000 + random.below(30_000_000),
      city: `city ${city}`,
      note: `${isAngry ? 'Terribly late' : 'All fine'} 🙂 parcel number ${index} of many`,
      price: Math.exp(random.next() * 9),
      y: delayDays * 2 + (city % 7) + (isAngry ? 5 : 0) + random.next(),
    };
  });
}

test('no learner learns from what it is not to see: models answer alike, whatever stands there', async () => {
  const { folds, training, target } = prepare(
    cityFrame((city) => city % 2 === 0),
    recipe,
  );
  const { views, training: rows, validation } = folds[0]!;
  const hidden = training.table.features.flatMap(({ fold }, index) =>
    fold === 1 || fold === 2 ? [index] : [],
  );
  assert.ok(hidden.length === 2);
  for (const learner of learners) {
    const table = learner.spec.abilities.ordersOnly ? views.ordersOnly : views.all;
    const { model } = await learner.train({
      table,
      task: 'binary',
      target: training.actual,
      classCount: target.classes.length,
      rows: rows.subarray(0, 300),
      validationRows: validation.subarray(0, 100),
      hyperparameters: {},
      seed: 1,
      control: { clock: systemClock, pause: pauseBy(systemClock) },
    });
    const featureCount = table.features.length;
    const answersWith = (value: number | undefined): Float64Array => {
      const encoded = new Float64Array(50 * featureCount);
      for (let row = 0; row < 50; row++) {
        const own = encoded.subarray(row * featureCount, (row + 1) * featureCount);
        copyFeatureRow(table, validation[row]!, own);
        if (value !== undefined) for (const feature of hidden) own[feature] = value;
      }
      const out = new Float64Array(50 * 2);
      applyModel(model, { rows: encoded, rowCount: 50, featureCount }, out);
      return out;
    };
    for (const value of [0.37, -40, NaN])
      assert.deepEqual(answersWith(value), answersWith(undefined), `${learner.spec.name} with ${value}`);
  }
});

test('dates, texts and many categories: the opened file answers with equal bits, everything is named by its column', async () => {
  const rows = wideRows();
  const frame = frameFromRows(rows, wideSchema);
  const result = await search({ frame, recipe: { ...recipe, refit: false }, clock: systemClock });
  const bytes = await writeModel(result.model);
  const content = await readModel(bytes);
  const predictor = await openModel(bytes);
  for (const { input, prediction } of result.evaluation.samples)
    assert.equal(predictor.predictRows([input]).predictions[0]!.prediction, prediction);
  const names = wideSchema.slice(0, -1).map(({ name }) => name);
  assert.deepEqual(
    content.manifest.schema.map(({ name }) => name),
    names,
  );
  assert.deepEqual([...result.importance].map(({ column }) => column).sort(), [...names].sort());
  const [explained] = explainerOf(content)([rows[1]!]);
  assert.deepEqual(explained!.contributions.map(({ column }) => column).sort(), [...names].sort());
  const sum = explained!.contributions.reduce(
    (total, { contribution }) => total + contribution,
    explained!.base,
  );
  assert.ok(Math.abs(sum - explained!.prediction) < 1e-6);
  // Delays are the distance between two dates: neither date alone tells them.
  const shareOf = (column: string): number => result.importance.find((one) => one.column === column)!.share;
  assert.ok(shareOf('sent_on') > 0.2 && shareOf('ordered_on') > 0.2);
  const { card } = modelCard(content.manifest);
  const handlingOf = (column: string): string => card.inputs.find((one) => one.column === column)!.handling;
  assert.match(handlingOf('city'), /1\d\d categories.*mean of the target/);
  assert.match(handlingOf('ordered_on'), /weekday.*month/);
  assert.match(handlingOf('sent_on'), /days since ordered_on/);
  assert.match(handlingOf('created_ts'), /seconds since 1970/);
  assert.match(handlingOf('note'), /words/);
  assert.match(handlingOf('price'), /logarithm/);
});

test('a column that is missing, renamed or odd at prediction is told or counts as missing', async () => {
  const frame = frameFromRows(wideRows(), wideSchema);
  const { model } = await search({ frame, recipe: { ...recipe, budget: { trials: 3 } }, clock: systemClock });
  const predictor = await openModel(await writeModel(model));
  const { predictions, warnings } = predictor.predictRows([
    {},
    { town: 'city 3' },
    {
      city: 'x'.repeat(1_000_000),
      note: 'late '.repeat(200_000),
      sent_on: '9999-12-31',
      ordered_on: '1899-01-01',
    },
    { note: '', city: '' },
  ]);
  assert.ok(predictions.every(({ prediction }) => Number.isFinite(prediction)));
  assert.match(warnings[0]!, /"town"/);
  // Read for its parts and for its distance, told once.
  assert.throws(
    () => predictor.predictRows([{ sent_on: 'yesterday' }]),
    (error: Problem) => error.code === 'prediction-input' && error.errors!.length === 1,
  );
});

test('what is fitted once depends on no target and on no row of the holdout', () => {
  const rows = wideRows();
  const withoutStatistics = (frame: Frame): unknown[] =>
    prepare(frame, recipe).encoding.map((entry) => ({ ...entry, statistics: undefined }));
  const shuffled = rows.map((row, index) => ({ ...row, y: rows[(index * 7 + 3) % rows.length]!['y'] }));
  const fitted = withoutStatistics(frameFromRows(rows, wideSchema));
  assert.deepEqual(withoutStatistics(frameFromRows(shuffled, wideSchema)), fitted);
  const { holdout, training } = prepare(frameFromRows(rows, wideSchema), recipe);
  const learned = new Set(training.actual);
  const isHeld = (row: Record<string, unknown>): boolean => !learned.has(row['y'] as number);
  assert.equal(rows.filter(isHeld).length, holdout.actual.length);
  const changed = rows.map((row) =>
    isHeld(row)
      ? { ...row, note: 'words of the holdout alone', price: 1e9, city: 'nowhere', sent_on: null }
      : row,
  );
  const after = prepare(frameFromRows(changed, wideSchema), recipe);
  assert.deepEqual(after.encoding, prepare(frameFromRows(rows, wideSchema), recipe).encoding);
});

test('encodings that a model file must not hold are refused', async () => {
  const frame = frameFromRows(wideRows(), wideSchema);
  const { model } = await search({ frame, recipe: { ...recipe, budget: { trials: 1 } }, clock: systemClock });
  const manifest = JSON.parse(JSON.stringify(model.manifest)) as Record<string, unknown>;
  assert.deepEqual(readManifest(manifest), model.manifest);
  type Entry = Record<string, unknown>;
  const refuse = (change: (entryOf: (kind: string) => Entry, list: Entry[]) => void): void => {
    const copy = structuredClone(manifest);
    const list = copy['encoding'] as Entry[];
    change((kind) => list.find((entry) => entry['kind'] === kind)!, list);
    assert.throws(
      () => readManifest(copy),
      (error: Problem) => error.code === 'model-file-invalid',
    );
  };
  const statisticsOf = (entry: Entry): Entry => entry['statistics'] as Entry;
  refuse((entryOf) => (statisticsOf(entryOf('category'))['shares'] as number[]).pop());
  refuse((entryOf) => (statisticsOf(entryOf('category'))['of'] as string[]).push('more'));
  refuse((entryOf) => (statisticsOf(entryOf('category'))['categories'] = ['a', 'a']));
  refuse((entryOf) => (entryOf('difference')['from'] = 'city'));
  refuse((_, list) => list.unshift(list.pop()!));
  refuse((_, list) => list.push(structuredClone(list[0]!)));
  refuse((entryOf) => (entryOf('date')['unit'] = 'seconds'));
  refuse((entryOf) => (entryOf('date')['parts'] = ['month']));
  refuse((entryOf) => ((entryOf('text')['words'] as Entry)['weights'] = [1]));
  refuse((entryOf) => ((entryOf('text')['pairs'] as Entry)['hashes'] = [1, 1]));
  refuse((_, list) => (list.find((entry) => entry['logScale'] !== undefined)!['logScale'] = 0));
});
