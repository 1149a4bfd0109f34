// The task of ranking through the search: from rows of queries to a model whose scores order them.
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { systemClock } from '../../base/time.ts';
import { frameFromRows, type Frame } from '../frame/frame.ts';
import type { ColumnKind } from '../frame/schema.ts';
import { modelCard } from '../model/card.ts';
import { openModel, writeModel } from '../model/model.ts';
import { prepare } from './prepare.ts';
import type { Recipe } from './recipe.ts';
import { search } from './search.ts';

const recipe: Recipe = {
  target: 'relevance',
  task: 'ranking',
  metric: 'auto',
  budget: { trials: 4 },
  seed: 3,
  groupColumn: 'query',
};

/** Queries with ten rows each; the relevance depends on two columns, within the query. */
function queries(
  queryCount: number,
  relevanceOf = (value: number): unknown => value,
  kind: ColumnKind = 'numeric',
): Frame {
  const random = seededRandom(4);
  const rows = Array.from({ length: queryCount }, (_, query) => {
    const own = Array.from({ length: 10 }, () => ({
      match: random.next() * 5,
      clicks: random.below(9),
      lang: 'de fi'.split(' ')[random.below(2)]!,
    }));
    const worth = own.map(
      ({ match, clicks, lang }) => match + Math.sqrt(clicks) + (lang === 'fi' ? 1 : 0) + random.next(),
    );
    return own.map((row, index) => {
      const place = worth.filter((value) => value > worth[index]!).length;
      return {
        query: `q${query}`,
        ...row,
        relevance: relevanceOf(place === 0 ? 3 : place < 3 ? 2 : place < 5 ? 1 : 0),
      };
    });
  }).flat();
  return frameFromRows(rows, [
    { name: 'query', kind: 'categorical' },
    { name: 'match', kind: 'numeric' },
    { name: 'clicks', kind: 'numeric' },
    { name: 'lang', kind: 'categorical' },
    { name: 'relevance', kind },
  ]);
}

test('queries become a model that orders rows it has not seen; same recipe and seed, same bytes', async () => {
  const frame = queries(80);
  const found = await search({ frame, recipe, clock: systemClock });
  const bytes = await writeModel(found.model);
  assert.deepEqual(await writeModel((await search({ frame, recipe, clock: systemClock })).model), bytes);
  const { task, metric, evaluation, leaderboard } = found;
  assert.deepEqual([task, metric.name, found.rows.holdout], ['ranking', 'ndcg', 160]);
  assert.deepEqual(Object.keys(evaluation.metrics), ['ndcg', 'map', 'mrr']);
  const baseline = leaderboard.find(({ learner }) => learner === 'baseline')!;
  assert.ok(evaluation.metrics['ndcg']! > 0.88 && baseline.score! < 0.7, JSON.stringify(evaluation.metrics));
  assert.ok(leaderboard.every(({ state, score }) => state === 'finished' && score !== null));
  const boosted = leaderboard.find(({ learner }) => learner === 'boosted-trees')!;
  assert.equal(boosted.hyperparameters['loss'], 'ranking');
  assert.equal(evaluation.residuals, undefined);
  assert.equal(found.importance[0]!.column, 'match');
  const predictor = await openModel(bytes);
  const { predictions } = predictor.predictRows([
    { match: 0.2, clicks: 1, lang: 'de' },
    { match: 4.8, clicks: 8, lang: 'fi', query: 'another' },
  ]);
  assert.ok((predictions[1]!.prediction as number) > (predictions[0]!.prediction as number));
  assert.deepEqual(Object.keys(predictions[0]!), ['prediction']);
  const judged = await search({ frame, recipe: { ...recipe, refit: false }, clock: systemClock });
  const asJudged = await openModel(await writeModel(judged.model));
  assert.deepEqual(judged.evaluation, evaluation);
  for (const { input, prediction } of evaluation.samples)
    assert.equal(asJudged.predictRows([input]).predictions[0]!.prediction, prediction);
  const { markdown } = modelCard(predictor.manifest);
  assert.match(markdown, /the order of rows within a group by "relevance"/);
  assert.match(markdown, /those of two groups do not compare/);
});

test('true and false will do, other metrics too, and rows that are too many leave in whole queries', async () => {
  const clicked = queries(30, (value) => value === 3, 'boolean');
  const found = await search({
    frame: clicked,
    recipe: { ...recipe, metric: 'mrr', budget: { trials: 3 } },
    clock: systemClock,
  });
  assert.equal(found.metric.name, 'mrr');
  assert.ok(found.evaluation.metrics['mrr']! > 0.4);
  const few = prepare(queries(80), { ...recipe, budget: { trials: 1, memoryBytes: 100_000 } });
  const counts = new Map<number, number>();
  for (const group of [...few.training.groups!, ...few.holdout.groups!])
    counts.set(group, (counts.get(group) ?? 0) + 1);
  assert.ok(counts.size < 60 && [...counts.values()].every((count) => count === 10));
});

test('what cannot be ranked is refused', () => {
  const refused = (frame: Frame, changes: Partial<Recipe>): Problem => {
    try {
      prepare(frame, { ...recipe, ...changes });
    } catch (error) {
      return error as Problem;
    }
    assert.fail('it was not refused');
  };
  const { groupColumn: _group, ...ungrouped } = recipe;
  assert.throws(
    () => prepare(queries(20), ungrouped),
    (error: Problem) =>
      error.errors?.[0]?.field === 'groupColumn' && /which column tells the groups/.test(error.message),
  );
  const codes = [
    refused(
      queries(20, (value) => value - 1),
      {},
    ),
    refused(
      queries(20, (value) => (value > 1 ? 'good' : 'bad'), 'categorical'),
      {},
    ),
    refused(
      queries(20, (value) => value * 20),
      {},
    ),
    refused(queries(20), { metric: 'rmse' }),
    refused(queries(20), { groupColumn: 'relevance' }),
  ].map(({ code }) => code);
  assert.deepEqual(codes, [
    'target-unusable',
    'target-unusable',
    'target-unusable',
    'invalid-request',
    'invalid-request',
  ]);
});
