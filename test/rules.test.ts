// Recipes that say more than what to predict, through the front door: an order within groups, and rules that the model
// keeps to. From the plan to the answers of an endpoint.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { seededRandom } from '../src/base/random.ts';
import type { AnswerFor, Client } from '../src/sdk/types.ts';
import type { PilviError } from '../src/sdk/pilvi-error.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { until } from './product.ts';
import { openServer, type TestServer } from './server.ts';
import { importTable } from './world.ts';

type RecipeBody = Parameters<Client['createTraining']>[0]['body'];

let server: TestServer;
let projectId: string;
let datasetVersionId: string;

/** Forty searches with ten results each; results that match and are clicked stand higher. */
before(async () => {
  server = await openServer();
  projectId = (await server.client.listProjects({})).items[0]!.id;
  const random = seededRandom(6);
  const lines = ['search,match,clicks,relevance'];
  for (let search = 0; search < 40; search++) {
    const results = Array.from({ length: 10 }, () => ({ match: random.next() * 5, clicks: random.below(9) }));
    for (const { match, clicks } of results) {
      const better = results.filter((other) => other.match + other.clicks / 3 > match + clicks / 3).length;
      lines.push(`s${search},${match.toFixed(3)},${clicks},${better === 0 ? 2 : better < 4 ? 1 : 0}`);
    }
  }
  const content = `${lines.join('\n')}\n`;
  datasetVersionId = (await importTable(server.client, { projectId, name: 'searches', content })).versionId;
});
after(() => server?.close());

async function modelOf(recipe: Partial<RecipeBody>): Promise<{
  training: AnswerFor<'getTraining'>;
  version: AnswerFor<'getModelVersion'>;
  answers: (rows: { match: number; clicks: number }[]) => Promise<number[]>;
}> {
  const { client } = server;
  const body = {
    datasetVersionId,
    target: 'relevance',
    groupColumn: 'search',
    budget: { seconds: 30, trials: 4 },
    ...recipe,
  };
  const plan = await client.planTraining({ projectId, body });
  const { id: trainingId, jobId } = await client.createTraining({ projectId, body });
  await waitForJob(client, jobId);
  const found = () => client.getTraining({ trainingId });
  await until('the model version is there', async () => (await found()).modelVersionId !== null);
  const training = await found();
  assert.deepEqual([plan.task, plan.metric, plan.featureCount], [training.task, training.metric, 2]);
  const modelVersionId = training.modelVersionId!;
  const version = await client.getModelVersion({ versionId: modelVersionId });
  const endpoint = await client.createEndpoint({
    projectId,
    body: { name: trainingId.replace('_', '-'), modelVersionId },
  });
  const answers = async (rows: { match: number; clicks: number }[]): Promise<number[]> => {
    const { predictions } = await client.predict({ endpointId: endpoint.id, body: { rows } });
    return predictions.map(({ prediction }) => Number(prediction));
  };
  return { training, version, answers };
}

test('a ranking: its scores put the rows of a group in order', async () => {
  const { training, version, answers } = await modelOf({ task: 'ranking' });
  assert.deepEqual(
    [training.task, training.metric, version.task, version.classes],
    ['ranking', 'ndcg', 'ranking', null],
  );
  assert.ok(training.score! > 0.8, String(training.score));
  assert.ok(training.droppedColumns.some(({ column }) => column === 'search'));
  const [low, high] = await answers([
    { match: 0.5, clicks: 0 },
    { match: 4.5, clicks: 8 },
  ]);
  assert.ok(high! > low!);
});

test('rules: the answers of the endpoint keep to them, and the card tells of them', async () => {
  const constraints = { increasing: ['match'], decreasing: ['clicks'] };
  const { training, version, answers } = await modelOf({ task: 'regression', constraints });
  assert.deepEqual(training.recipe.constraints, { ...constraints, interactionGroups: null });
  assert.ok(training.leaderboard.every(({ learner }) => ['baseline', 'boosted-trees'].includes(learner)));
  const steps = Array.from({ length: 30 }, (_, step) => step);
  const rising = await answers(steps.map((step) => ({ match: step / 6, clicks: 4 })));
  const falling = await answers(steps.map((step) => ({ match: 3, clicks: step / 3 })));
  assert.deepEqual(
    rising,
    rising.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    falling,
    falling.toSorted((a, b) => b - a),
  );
  assert.ok(rising[0]! < rising.at(-1)!);
  assert.match(version.card, /The answer never falls as "match" rises/);
});

test('costs: the model avoids dear mistakes, reports money, and bad costs are refused by name', async () => {
  const { client } = server;
  const dear = { actual: '2', predicted: '0', cost: 40 };
  const costs = { cells: [dear], otherMistakes: 1, currency: 'EUR', decisionCount: 500 };
  const { training, version } = await modelOf({
    task: 'multiclass',
    groupColumn: null,
    metric: 'cost',
    costs,
    excludedColumns: ['search'],
  });
  const { money, metrics } = training.evaluation!;
  assert.deepEqual([training.metric, money!.currency, money!.decisionCount], ['cost', 'EUR', 500]);
  assert.equal(training.score, money!.perDecision);
  assert.equal(metrics['cost'], money!.perDecision);
  assert.deepEqual(version.evaluation!.money, money);
  assert.match(version.card, /Saying "0" of what is "2" costs 40 EUR\./);
  const body = { datasetVersionId, target: 'relevance', task: 'multiclass' as const };
  const refused: [Partial<RecipeBody>, string][] = [
    [{ metric: 'cost' }, 'body.metric'],
    [{ costs: { falsePositive: 1, falseNegative: 1 } }, 'body.costs'],
    [{ costs: { cells: [{ ...dear, actual: '7' }], otherMistakes: 1 } }, 'body.costs.cells.0'],
  ];
  for (const [said, field] of refused)
    await assert.rejects(
      client.planTraining({ projectId, body: { ...body, ...said } }),
      (error: PilviError) =>
        error.problem.code === 'invalid-request' && error.problem.errors?.[0]?.field === field,
    );
});

test('a version says why it answers as it does, and what would have to be otherwise', async () => {
  const { client } = server;
  const { version } = await modelOf({ task: 'regression' });
  const rows = [
    { match: 4.5, clicks: 8 },
    { match: 0.5, clicks: 1 },
  ];
  let [high, low] = [0, 0];
  for (const compareWith of [[], [{ match: 2, clicks: 4 }]]) {
    const { explanations } = await client.explainRows({ versionId: version.id, body: { rows, compareWith } });
    for (const { base, prediction, contributions } of explanations) {
      const sum = contributions.reduce((total, { contribution }) => total + contribution, base);
      assert.ok(Math.abs(sum - prediction) < 1e-9);
      assert.equal(contributions.length, 2);
    }
    [high, low] = explanations.map(({ prediction }) => prediction) as [number, number];
    assert.ok(high > low);
  }
  const atLeast = low + (high - low) * 0.3;
  const asked = { row: rows[1]!, wanted: { atLeast }, fixed: ['clicks'] };
  const answer = await client.findCounterfactuals({ versionId: version.id, body: asked });
  const [change] = answer.counterfactuals[0]!.changes;
  assert.ok(change!.column === 'match' && Number(change!.to) > 0.5);
  assert.ok(Number(answer.counterfactuals[0]!.prediction.prediction) >= atLeast);
  await assert.rejects(
    client.findCounterfactuals({ versionId: version.id, body: { ...asked, fixed: ['nose'] } }),
    (error: PilviError) => error.code === 'invalid-request',
  );
  await assert.rejects(
    client.explainRows({ versionId: 'mv_unknown', body: { rows } }),
    (error: PilviError) => error.code === 'not-found',
  );
});
