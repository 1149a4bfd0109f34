// Constraints by columns, from a recipe to the answers of the finished model, and those that are refused.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { FieldError, Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { ColumnKind } from '../frame/schema.ts';
import { modelCard } from '../model/card.ts';
import type { ColumnConstraints } from '../model/manifest.ts';
import { openModel, writeModel } from '../model/model.ts';
import { featureConstraints } from './column-constraints.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';

const none: ColumnConstraints = { increasing: [], decreasing: [] };
const recipe: Recipe = { target: 'y', task: 'auto', metric: 'auto', budget: { trials: 3 }, seed: 3 };

/** The truth goes up and down with x and with z, and the two interact. */
function frameOf(yOf: (signal: number) => unknown, kind: ColumnKind): Frame {
  const random = seededRandom(9);
  const rows = Array.from({ length: 400 }, () => {
    const [x, z] = [random.next() * 10, random.next() * 10];
    const city = 'abc'[random.below(3)]!;
    const on = random.next() < 0.5;
    const day = new Date(Date.UTC(2025, 0, 1 + random.below(300))).toISOString();
    return {
      x,
      z,
      city,
      on,
      day,
      y: yOf(Math.sin(x) * z + (on ? 2 : 0) + (city === 'a' ? 2 : 0) + random.next()),
    };
  });
  return frameFromRows(rows, [
    { name: 'x', kind: 'numeric' },
    { name: 'z', kind: 'numeric' },
    { name: 'city', kind: 'categorical' },
    { name: 'on', kind: 'boolean' },
    { name: 'day', kind: 'date' },
    { name: 'y', kind },
  ]);
}

const amounts = frameOf((signal) => signal, 'numeric');
const classes = frameOf((signal) => (signal > 3 ? 'high' : 'low'), 'categorical');

async function fit(frame: Frame, constraints: ColumnConstraints, changes: Partial<Recipe> = {}) {
  const found = await search({ frame, recipe: { ...recipe, constraints, ...changes }, clock: systemClock });
  return { found, predictor: await openModel(await writeModel(found.model)) };
}

function sweep(name: string): Record<string, unknown>[] {
  return Array.from({ length: 101 }, (_, step) => ({
    x: 4,
    z: 6,
    city: 'a',
    on: true,
    day: null,
    [name]: step / 10,
  }));
}

/** 1 when each value is at least the one before, -1 when at most, 0 when neither. */
function directionOf(values: readonly number[]): number {
  const steps = values.slice(1).map((value, index) => value - values[index]!);
  if (steps.every((step) => step >= 0)) return 1;
  return steps.every((step) => step <= 0) ? -1 : 0;
}

test('a number: the finished model rises and falls as it must, and its card says so', async () => {
  const { found, predictor } = await fit(amounts, { increasing: ['x'], decreasing: ['z', 'on'] });
  const answers = (name: string): number[] =>
    predictor.predictRows(sweep(name)).predictions.map(({ prediction }) => prediction as number);
  assert.equal(directionOf(answers('x')), 1);
  assert.equal(directionOf(answers('z')), -1);
  assert.deepEqual(
    new Set(found.leaderboard.map(({ learner }) => learner)),
    new Set(['baseline', 'boosted-trees']),
  );
  const { markdown } = modelCard(predictor.manifest);
  assert.match(
    markdown,
    /## What it keeps to\n\n- The answer never falls as "x" rises, all else being equal\.\n/,
  );
  assert.match(markdown, /- The answer never rises as "z" rises/);
  const free = await fit(amounts, none);
  assert.equal(
    directionOf(free.predictor.predictRows(sweep('x')).predictions.map((one) => one.prediction as number)),
    0,
  );
  assert.ok(free.found.leaderboard.some(({ learner }) => learner === 'linear'));
  assert.equal(free.predictor.manifest.constraints, undefined);
  assert.doesNotMatch(modelCard(free.predictor.manifest).markdown, /keeps to/);
});

for (const positiveClass of ['high', 'low'])
  test(`two classes: it is the probability of the positive class, ${positiveClass}, that rises`, async () => {
    const { found, predictor } = await fit(classes, { increasing: ['x'], decreasing: [] }, { positiveClass });
    const answers = predictor.predictRows(sweep('x')).predictions;
    assert.equal(directionOf(answers.map(({ probabilities }) => probabilities![positiveClass]!)), 1);
    assert.match(
      modelCard(found.model.manifest).markdown,
      new RegExp(`probability of "${positiveClass}" never falls`),
    );
  });

test('groups of columns become groups of features; the parts of one column may always meet', () => {
  const { table } = prepare(amounts, recipe).training;
  const target = { task: 'regression' as const, positiveClass: 0 };
  const named = (groups: readonly (readonly number[])[] | undefined) =>
    groups?.map((group) => group.map((index) => table.features[index]!.name));
  const parts = table.features.filter(({ column }) => column === 'day').map(({ name }) => name);
  assert.ok(parts.length > 1);
  const { interactionGroups, monotone } = featureConstraints(
    { ...none, interactionGroups: [['x', 'day'], ['z']] },
    table.features,
    target,
  );
  assert.deepEqual(named(interactionGroups), [['x', ...parts], parts]);
  assert.equal(monotone, undefined);
  assert.deepEqual(
    named(featureConstraints({ ...none, interactionGroups: [] }, table.features, target).interactionGroups),
    [parts],
  );
});

test('columns that may not act together do not: the model is a sum', async () => {
  const { predictor, found } = await fit(
    amounts,
    { ...none, interactionGroups: [['z', 'city']] },
    { budget: { trials: 2 } },
  );
  const at = (x: number, z: number): number =>
    predictor.predictRows([{ x, z, city: 'a', on: true, day: null }]).predictions[0]!.prediction as number;
  for (const [x, z] of [
    [1, 2],
    [4, 9],
    [8, 5],
  ] as const)
    assert.ok(Math.abs(at(x, z) - at(x, 0) - (at(5, z) - at(5, 0))) < 1e-9);
  assert.match(
    modelCard(found.model.manifest).markdown,
    /may act together: "z", "city"\.\n- In each of its trees, any other/,
  );
});

test('what does not fit is refused, each field by its name', () => {
  const refused = (
    frame: Frame,
    constraints: Partial<ColumnConstraints>,
  ): { code: string; errors: readonly FieldError[] } => {
    try {
      prepare(frame, { ...recipe, constraints: { ...none, ...constraints } });
    } catch (error) {
      const { code, errors = [] } = error as Problem;
      return { code, errors };
    }
    assert.fail('it was not refused');
  };
  assert.deepEqual(
    refused(amounts, { increasing: ['x', 'nothing'], interactionGroups: [['x'], ['neither']] }),
    {
      code: 'column-unknown',
      errors: [
        { field: 'constraints.increasing', message: 'names "nothing", which is no column of the data' },
        {
          field: 'constraints.interactionGroups',
          message: 'names "neither", which is no column of the data',
        },
      ],
    },
  );
  assert.deepEqual(refused(amounts, { increasing: ['x', 'city'], decreasing: ['x', 'day', 'y'] }), {
    code: 'invalid-request',
    errors: [
      {
        field: 'constraints.increasing',
        message: 'names "city", which holds neither numbers nor true and false',
      },
      { field: 'constraints.decreasing', message: 'names "x", which is among the increasing columns too' },
      {
        field: 'constraints.decreasing',
        message: 'names "day", which holds neither numbers nor true and false',
      },
      { field: 'constraints.decreasing', message: 'names the target' },
    ],
  });
  const three = frameOf((signal) => (signal > 5 ? 'high' : signal > 1 ? 'middle' : 'low'), 'categorical');
  const { errors } = refused(three, { decreasing: ['x'] });
  assert.match(errors[0]!.message, /no meaning with three or more classes/);
  assert.doesNotThrow(() => prepare(three, { ...recipe, constraints: { ...none, interactionGroups: [] } }));
});
