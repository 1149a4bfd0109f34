// The log as people use it: pages, one prediction and where it comes from, computing it again, what turned out to be
// true, SQL, and the file with all of it.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { fromHex } from '../../../base/hash.ts';
import { canonicalJson } from '../../../base/json.ts';
import { Problem } from '../../../base/problems.ts';
import * as contract from '../../../contract/prediction-log.ts';
import type { Context } from '../../../platform/context.ts';
import { setLogSettings } from '../../deploy/deploy.ts';
import { predict, predictCsv, type Predictions } from '../predict.ts';
import { sendOutcomes, sendOutcomesCsv } from './outcomes.ts';
import {
  exportPredictionLog,
  getLoggedPrediction,
  getPredictionLog,
  listLoggedPredictions,
  queryPredictionLog,
} from './reads.ts';
import { explainPrediction, getPredictionEvidence, rerunPrediction } from './rerun.ts';
import { openLogTest, type LogTest } from './testing.ts';

let opened: LogTest;

before(async () => {
  opened = await openLogTest();
});
after(() => opened?.close());

type Rows = Record<string, unknown>[];

async function ask(of: Context, endpointId: string, rows: Rows): Promise<Predictions> {
  return await predict({ ...of, requestId: of.newId('request') }, endpointId, rows);
}

async function askCsv(of: Context, endpointId: string, text: string): Promise<string> {
  const context = { ...of, requestId: of.newId('request') };
  const { output } = await predictCsv(context, endpointId, streamOf(text));
  for await (const _ of output.body);
  return context.requestId;
}

async function* streamOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

function isProblem(code: string, detail = /./): (error: unknown) => boolean {
  return (error) => error instanceof Problem && error.code === code && detail.test(error.message);
}

describe('pages of predictions', () => {
  test('hold every prediction once, newest requests first, and keep their order while more come', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    const asked: string[] = [];
    for (const count of [3, 1, 2]) {
      const { requestId } = await ask(context, endpointId, Array(count).fill({ age: 30 }));
      asked.unshift(...Array.from({ length: count }, (_, row) => `${requestId}-${row}`));
    }
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await listLoggedPredictions(context, endpointId, { limit: 2, cursor });
      contract.listLoggedPredictions.response.json.parse(page);
      seen.push(...page.items.map(({ id }) => id));
      await ask(context, endpointId, [{}]);
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    assert.deepEqual(seen, asked);
  });

  test('are narrowed by time, version, outcome and text', async () => {
    const { context, endpointId, modelVersionId } = await opened.freshEndpoint();
    const first = await ask(context, endpointId, [{ age: 60, city: 'Turku' }]);
    const { items } = await listLoggedPredictions(context, endpointId, { limit: 5 });
    const later = new Date(Date.parse(items[0]!.time) + 1).toISOString();
    await sendOutcomes(context, endpointId, [{ predictionId: items[0]!.id, actual: 'no' }]);
    const second = await ask(context, endpointId, [{ age: 20, city: 'Oulu' }]);
    const found = async (query: object): Promise<string[]> =>
      (await listLoggedPredictions(context, endpointId, { limit: 5, ...query })).items.map(
        (one) => one.requestId,
      );
    const [both, old] = [[second.requestId, first.requestId], [first.requestId]];
    assert.deepEqual(await found({ modelVersionId }), both);
    assert.deepEqual(await found({ modelVersionId: 'mdv_none' }), []);
    assert.deepEqual(await found({ outcome: 'known' }), old);
    assert.deepEqual(await found({ outcome: 'unknown' }), [second.requestId]);
    assert.deepEqual(await found({ search: 'tURKU' }), old);
    assert.deepEqual(await found({ search: first.requestId }), old);
    assert.deepEqual(await found({ search: "' OR 1=1 --" }), []);
    assert.deepEqual(await found({ to: items[0]!.time }), []);
    assert.deepEqual(await found({ to: later, from: items[0]!.time }), old);
  });

  test('of an empty log are empty, and a foreign cursor is refused', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    const page = await listLoggedPredictions(context, endpointId, { limit: 5 });
    assert.deepEqual(page, { items: [], nextCursor: null });
    const wrong = listLoggedPredictions(context, endpointId, { limit: 5, cursor: 'req_1-0' });
    await assert.rejects(wrong, isProblem('invalid-request', /cursor/));
  });

  test('are of no other workspace', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    const { requestId } = await ask(context, endpointId, [{ age: 1 }]);
    const { context: stranger } = await opened.freshEndpoint();
    const id = `${requestId}-0`;
    for (const reach of [
      listLoggedPredictions(stranger, endpointId, { limit: 5 }),
      getLoggedPrediction(stranger, endpointId, id),
      getPredictionLog(stranger, endpointId),
      rerunPrediction(stranger, endpointId, id),
      exportPredictionLog(stranger, endpointId, {}),
      queryPredictionLog(stranger, endpointId, { sql: 'select 1', maxRows: 1 }),
      sendOutcomes(stranger, endpointId, [{ predictionId: id, actual: 'yes' }]),
    ])
      await assert.rejects(reach, isProblem('not-found', /endpoint/));
  });
});

describe('one prediction', () => {
  test('computed again is identical, whatever was given', async () => {
    const value = fc.oneof(
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -100, max: 200 }),
    );
    const row = fc.record(
      { age: value, city: fc.oneof(fc.constant('Oulu'), fc.string({ unit: 'binary' })), extra: fc.json() },
      { requiredKeys: [] },
    );
    for (const target of ['left', 'spend'] as const) {
      const { context, endpointId } = await opened.freshEndpoint(target);
      const rows = fc.sample(row, { numRuns: 8, seed: 7 });
      const { requestId, predictions } = await ask(context, endpointId, rows);
      for (const [index, answer] of predictions.entries()) {
        const again = await rerunPrediction(context, endpointId, `${requestId}-${index}`);
        assert.ok(again.isIdentical);
        assert.deepEqual(again.answer, answer);
      }
    }
  });

  test('of a CSV file is computed again and explained as well', async () => {
    const { context, endpointId } = await opened.freshEndpoint('spend');
    const requestId = await askCsv(
      context,
      endpointId,
      'age,city,member,since\n 0.3e2 ,Oulu,YES,2020/02/03\nNA,,,\n',
    );
    for (const row of [0, 1]) {
      const again = await rerunPrediction(context, endpointId, `${requestId}-${row}`);
      contract.rerunPrediction.response.json.parse(again);
      assert.ok(again.isIdentical);
    }
    const explanation = await explainPrediction(context, endpointId, `${requestId}-0`);
    contract.explainPrediction.response.json.parse(explanation);
    const { prediction } = await getLoggedPrediction(context, endpointId, `${requestId}-0`);
    assert.ok(Math.abs(explanation.prediction - Number(prediction.answer.prediction)) < 1e-6);
  });

  test('says which model and file it comes from, in a document that is signed', async () => {
    const { context, endpointId, modelVersionId } = await opened.freshEndpoint();
    const { requestId } = await ask(context, endpointId, [{ age: 60, city: 'Oulu' }]);
    const found = await getLoggedPrediction(context, endpointId, `${requestId}-0`);
    contract.getLoggedPrediction.response.json.parse(found);
    assert.equal(found.prediction.modelVersionId, modelVersionId);
    assert.equal(found.origin.target, 'left');
    const evidence = await getPredictionEvidence(context, endpointId, `${requestId}-0`);
    contract.getPredictionEvidence.response.json.parse(evidence);
    assert.ok(evidence.rerun!.isIdentical);
    assert.ok(evidence.explanation!.contributions.length > 0);
    const holds = ({ signature, ...told }: typeof evidence): boolean => {
      const x = Buffer.from(fromHex(signature.publicKey)).toString('base64url');
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      return verify(null, Buffer.from(canonicalJson(told)), key, fromHex(signature.value));
    };
    assert.ok(holds(evidence));
    assert.ok(!holds({ ...evidence, issuedAt: '2020-01-01T00:00:00.000Z' }));
  });

  test('with redacted fields cannot be computed again, which is said', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    await setLogSettings(context, endpointId, { redactedColumns: ['city', 'name'] });
    const { requestId } = await ask(context, endpointId, [
      { age: 60, city: 'Oulu' },
      { age: 60, name: 'Aino' },
    ]);
    const redacted = isProblem('prediction-redacted', /"city"/);
    await assert.rejects(rerunPrediction(context, endpointId, `${requestId}-0`), redacted);
    await assert.rejects(explainPrediction(context, endpointId, `${requestId}-0`), redacted);
    const evidence = await getPredictionEvidence(context, endpointId, `${requestId}-0`);
    assert.equal(evidence.rerun, null);
    assert.equal(evidence.explanation, null);
    // What the model does not look at is not missed.
    assert.ok((await rerunPrediction(context, endpointId, `${requestId}-1`)).isIdentical);
  });

  test('that was not logged is not found', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    await setLogSettings(context, endpointId, { share: 0 });
    const { requestId } = await ask(context, endpointId, [{ age: 60 }]);
    await assert.rejects(getLoggedPrediction(context, endpointId, `${requestId}-0`), isProblem('not-found'));
  });
});

describe('outcomes', () => {
  test('are joined with their predictions; the last one counts; unknown ids are told', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    const { requestId } = await ask(context, endpointId, [{ age: 60 }, { age: 20 }, { age: 30 }]);
    const id = (row: number): string => `${requestId}-${row}`;
    const send = (...outcomes: [string, string][]) =>
      sendOutcomes(
        context,
        endpointId,
        outcomes.map(([predictionId, actual]) => ({ predictionId, actual })),
      );
    const told = await send([id(0), 'no'], [id(1), 'no'], [id(0), 'yes'], [id(7), 'no']);
    contract.sendOutcomes.response.json.parse(told);
    assert.deepEqual(told, {
      keptCount: 2,
      unknownCount: 1,
      unknownIds: [id(7)],
      unfitCount: 0,
      unfitIds: [],
    });
    const actuals = async (): Promise<(string | null)[]> =>
      (await listLoggedPredictions(context, endpointId, { limit: 5 })).items.map(({ actual }) => actual);
    assert.deepEqual(await actuals(), ['yes', 'no', null]);
    await send([id(1), 'yes']);
    await send([id(2), 'maybe']);
    assert.deepEqual(await actuals(), ['yes', 'yes', 'maybe']);
    assert.equal((await getPredictionLog(context, endpointId)).outcomeCount, 3);
  });

  test('of numbers must be numbers', async () => {
    const { context, endpointId } = await opened.freshEndpoint('spend');
    const { requestId } = await ask(context, endpointId, [{ age: 60 }, { age: 20 }]);
    const told = await sendOutcomes(context, endpointId, [
      { predictionId: `${requestId}-0`, actual: 120.5 },
      { predictionId: `${requestId}-1`, actual: 'much' },
    ]);
    assert.deepEqual([told.keptCount, told.unfitIds], [1, [`${requestId}-1`]]);
  });

  test('come as a file, too; what is wrong in it is told by its line', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    const { requestId } = await ask(context, endpointId, [{ age: 60 }, { age: 20 }]);
    const send = (text: string) => sendOutcomesCsv(context, endpointId, streamOf(text));
    const told = await send(`actual;prediction_id\nno;${requestId}-0\nyes;${requestId}-1\n`);
    assert.equal(told.keptCount, 2);
    await assert.rejects(send('id,actual\nx,y\n'), isProblem('prediction-input', /prediction_id/));
    await assert.rejects(send('prediction_id,actual\n'), isProblem('file-empty'));
    await assert.rejects(
      send(`prediction_id,actual\n${requestId}-0,no\nreq_1,no\n`),
      isProblem('prediction-input', /line 3/),
    );
  });

  test('sent at the same time are all kept', async () => {
    const { context, endpointId } = await opened.freshEndpoint();
    const { requestId } = await ask(context, endpointId, Array(4).fill({ age: 60 }));
    await Promise.all(
      [0, 1, 2, 3].map((row) =>
        sendOutcomes({ ...context, requestId: context.newId('request') }, endpointId, [
          { predictionId: `${requestId}-${row}`, actual: `was ${row}` },
        ]),
      ),
    );
    const { items } = await listLoggedPredictions(context, endpointId, { limit: 5 });
    assert.deepEqual(
      items.map(({ actual }) => actual),
      ['was 0', 'was 1', 'was 2', 'was 3'],
    );
  });
});

test('SQL reads predictions, fields and outcomes as one table, and nothing else', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  const { requestId } = await ask(context, endpointId, [{ age: 60, city: 'Oulu' }, { age: 20 }]);
  await sendOutcomes(context, endpointId, [{ predictionId: `${requestId}-0`, actual: 'yes' }]);
  const { table } = await queryPredictionLog(context, endpointId, {
    sql: `SELECT prediction, count(*), avg(field_age), max(actual), max(probabilities['yes']) > 0.5
      FROM predictions GROUP BY prediction ORDER BY prediction`,
    maxRows: 10,
  });
  assert.deepEqual(table.rows, [
    ['no', 1, 20, null, false],
    ['yes', 1, 60, 'yes', true],
  ]);
  const refused = queryPredictionLog(context, endpointId, {
    sql: "SELECT * FROM read_csv('/etc/passwd')",
    maxRows: 1,
  });
  await assert.rejects(refused, isProblem('query-forbidden'));
  const { context: other, endpointId: empty } = await opened.freshEndpoint();
  const none = await queryPredictionLog(other, empty, { sql: 'SELECT * FROM predictions', maxRows: 1 });
  assert.equal(none.rowCount, 0);
});

test('the log as one file has every prediction of the time', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  await ask(context, endpointId, [{ age: 60 }, { age: 61 }]);
  const output = await exportPredictionLog(context, endpointId, {});
  const chunks: Uint8Array[] = [];
  for await (const chunk of output.body) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  assert.equal(bytes.length, output.sizeBytes);
  assert.equal(bytes.toString('latin1', 0, 4), 'PAR1');
  assert.equal(output.fileName, 'tested-predictions.parquet');
});

test('counts are exact, in memory, in segments and in parts', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  const counts = async (): Promise<[number, number]> => {
    const log = await getPredictionLog(context, endpointId);
    contract.getPredictionLog.response.json.parse(log);
    assert.equal(log.lostRowCount, 0);
    return [log.rowCount, log.pendingRowCount];
  };
  assert.deepEqual(await counts(), [0, 0]);
  await ask(context, endpointId, [{ age: 1 }, { age: 2 }]);
  assert.deepEqual(await counts(), [2, 2]);
  await listLoggedPredictions(context, endpointId, { limit: 1 });
  assert.deepEqual(await counts(), [2, 0]);
  await ask(context, endpointId, [{ age: 3 }]);
  assert.deepEqual(await counts(), [3, 1]);
});
