// The decision-flip gate from outside: logged requests are replayed on a candidate, flips are found where they are, and the
// rule of the endpoint says what holds a version back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AnswerFor, InputFor } from '../src/sdk/types.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { startProduct, until, type Product } from './product.ts';
import { askFor, deployWatched, ordersTable, trainLeaving } from './watched-endpoint.ts';
import { importTable } from './world.ts';

type Comparison = AnswerFor<'getComparison'>;

let product: Product;
let projectId: string;
let endpointId: string;
let answeringId: string;
/** Learned from orders that say nobody in Oulu leaves, and knows what mistakes cost. */
let spoiltId: string;

before(async () => {
  product = await startProduct();
  const { client } = product;
  ({ projectId, endpointId, modelVersionId: answeringId } = await deployWatched(client));
  const table = { projectId, name: 'spoilt orders', content: ordersTable({ isSpoilt: true }) };
  const { versionId } = await importTable(client, table);
  const costs = { falsePositive: 1, falseNegative: 1, currency: 'EUR' };
  spoiltId = await trainLeaving(client, { projectId, versionId }, { costs });
  const asked = await askFor(client, endpointId, { rowCount: 600, seed: 5 });
  const outcomes = asked.slice(0, 400);
  await client.sendOutcomes({ endpointId, body: { outcomes } });
});
after(() => product.close());

async function compared(body: InputFor<'createComparison'>['body']): Promise<Comparison> {
  const { client } = product;
  const { id, jobId, state, verdict } = await client.createComparison({ endpointId, body });
  assert.deepEqual([state, verdict], ['making', null]);
  await waitForJob(client, jobId);
  return client.getComparison({ comparisonId: id });
}

test('flips of a spoilt model are found where they are, with who was right and what they cost', async () => {
  const { client } = product;
  const { result, verdict, candidate, answering, id } = await compared({ modelVersionId: spoiltId });
  assert.deepEqual([answering.versionNumber, candidate.versionNumber, verdict], [1, 2, null]);
  const { rowCount, flipped, segments, outcomes, money, notes, loggedRowCount } = result!;
  assert.deepEqual([rowCount, loggedRowCount, result!.replayedShare], [600, 600, 1]);
  assert.ok(flipped.value > 0.1 && flipped.lower < flipped.value && flipped.value < flipped.upper);
  assert.deepEqual([segments[0]!.column, segments[0]!.segment], ['city', 'Oulu']);
  assert.ok(segments[0]!.flipped.value > 0.4);
  assert.equal(outcomes!.knownCount, 400);
  assert.ok(outcomes!.onlyAnsweringRight > 3 * outcomes!.onlyCandidateRight);
  // Each mistake costs 1 EUR: what is known of is counted, the rest is the mean of what both versions hold likely.
  assert.deepEqual([money!.currency, money!.costsOf], ['EUR', 'candidate']);
  assert.ok(money!.lost.lower > 0 && money!.knownRowCount > 40);
  assert.ok(notes.some((note) => note.includes('400 of the 600')));

  const { items, nextCursor } = await client.listComparisonFlips({ comparisonId: id, limit: 3 });
  assert.equal(items.length, 3);
  const more = await client.listComparisonFlips({ comparisonId: id, limit: 200, cursor: nextCursor! });
  assert.equal(items.length + more.items.length, result!.flipCount);
  const amounts = [...items, ...more.items].map(({ lostMoney }) => Math.abs(lostMoney!));
  assert.deepEqual(
    amounts,
    amounts.toSorted((a, b) => b - a),
  );
  for (const { answering: now, candidate: then, predictionId } of items) {
    assert.notEqual(now.decision, then.decision);
    assert.equal(now.explanation!.outcome, then.explanation!.outcome);
    const { prediction } = await client.getLoggedPrediction({ endpointId, predictionId });
    assert.equal(prediction.answer.prediction, now.decision);
  }
});

test('a rule holds the version back and says why; a better rule lets it through', async () => {
  const { client } = product;
  const { rule, suggestion } = await client.getGateRule({ endpointId });
  assert.equal(rule, null);
  await client.setGateRule({ endpointId, body: { rule: `${suggestion} and lost_money <= 0` } });
  const [latest] = (await client.listComparisons({ endpointId })).items;
  assert.equal(latest!.verdict!.passed, false);
  assert.ok(latest!.verdict!.reasons.some((reason) => /flip where city is Oulu/.test(reason)));
  assert.ok(latest!.verdict!.reasons.some((reason) => /costs .* EUR more/.test(reason)));
  await client.setGateRule({ endpointId, body: { rule: 'flipped <= 90%' } });
  assert.equal((await client.getComparison({ comparisonId: latest!.id })).verdict!.passed, true);
  await client.setGateRule({ endpointId, body: { rule: null } });
  assert.equal((await client.getGateRule({ endpointId })).rule, null);
});

test('a sample, a threshold and redacted columns are told', async () => {
  const { client } = product;
  const sampled = await compared({ modelVersionId: spoiltId, maxRows: 200, threshold: 0.9 });
  const { rowCount, replayedShare, decision, notes } = sampled.result!;
  assert.ok(rowCount > 100 && rowCount <= 200 && replayedShare < 0.5);
  assert.deepEqual([decision.kind, decision.threshold], ['threshold', 0.9]);
  assert.ok(notes.some((note) => note.startsWith('A sample of')));

  await client.setLogSettings({ endpointId, body: { redactedColumns: ['city'], share: 1 } });
  await until('the settings count', async () => {
    const [row] = await askFor(client, endpointId, { rowCount: 1, seed: 7 });
    const { prediction } = await client.getLoggedPrediction({ endpointId, predictionId: row!.predictionId });
    return prediction.redacted.includes('city');
  });
  const { result } = await compared({ modelVersionId: spoiltId });
  assert.deepEqual(result!.redactedColumns, ['city']);
  assert.ok(result!.redactedRowCount >= 1);
  assert.ok(result!.notes.some((note) => note.includes('values of "city" were not kept')));
  await client.setLogSettings({ endpointId, body: { redactedColumns: [] } });
});

test('what makes no sense is refused', async () => {
  const { client } = product;
  const refused = (body: InputFor<'createComparison'>['body'], message: RegExp): Promise<void> =>
    assert.rejects(client.createComparison({ endpointId, body }), message);
  await refused({ modelVersionId: answeringId }, /answers now/);
  await refused({ modelVersionId: spoiltId, tolerance: 1 }, /numbers only/);
  const at = new Date().toISOString();
  await refused({ modelVersionId: spoiltId, from: at, to: at }, /before "to"/);
  await assert.rejects(client.createComparison({ endpointId, body: { modelVersionId: 'mdv_none' } }), {
    code: 'not-found',
  });
  await assert.rejects(client.setGateRule({ endpointId, body: { rule: 'fliped <= 2%' } }), /character 1/);
  await assert.rejects(client.getComparison({ comparisonId: 'cmp_none' }), { code: 'not-found' });
  await assert.rejects(client.listComparisonFlips({ comparisonId: 'cmp_none' }), { code: 'not-found' });
});

test('with the endpoint go its comparisons', async () => {
  const { client } = product;
  const [latest] = (await client.listComparisons({ endpointId })).items;
  await client.deleteEndpoint({ endpointId });
  await until('the comparison is gone', async () => {
    try {
      await client.getComparison({ comparisonId: latest!.id });
      return false;
    } catch {
      return true;
    }
  });
});
