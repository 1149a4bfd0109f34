// Predictions through their operations, with learned models, a real ledger and a real database.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import { predict as predictOperation } from '../../contract/endpoint.ts';
import { listBudgets, listCharges, setBudget } from '../../capabilities/billing/billing.ts';
import type { Context } from '../../platform/context.ts';
import { createEndpoint, deleteEndpoint, deployModel, getEndpoint } from '../deploy/deploy.ts';
import { customers, openDeployTest, type DeployTest, type Target } from '../deploy/testing.ts';
import { closePredictions, predict, predictCsv } from './predict.ts';

let opened: DeployTest;
let context: Context;
let projectId: string;

before(async () => {
  opened = await openDeployTest();
});
beforeEach(async () => {
  context = await opened.freshWorkspace();
  projectId = await opened.freshProject(context);
});
after(async () => {
  await closePredictions(opened.services);
  await opened.close();
});

type Row = Record<string, unknown>;

async function endpointFor(target: Target = 'left'): Promise<string> {
  const { id: modelVersionId } = await opened.freshVersion(context, projectId, target);
  const name = `e${context.newId('request').slice(-20)}`;
  return (await createEndpoint(context, { projectId, name, modelVersionId })).id;
}

/** The context of another request of the same caller. */
function request(of: Context = context, requestId = of.newId('request')): Context {
  return { ...of, requestId };
}

async function* streamOf(text: string | Uint8Array, chunkBytes = 1_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text as string);
  for (let start = 0; start < bytes.length; start += chunkBytes)
    yield bytes.subarray(start, start + chunkBytes);
}

interface CsvResult {
  rows: Record<string, string>[];
  text: string;
  warnings: string[];
}

async function askCsv(endpointId: string, text: string | Uint8Array, of = context): Promise<CsvResult> {
  const { output, warnings } = await predictCsv(request(of), endpointId, streamOf(text));
  const chunks: Uint8Array[] = [];
  for await (const chunk of output.body) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  assert.equal(output.sizeBytes, bytes.length);
  const rows: Record<string, string>[] = parse(bytes, { columns: true });
  return { rows, text: bytes.toString(), warnings };
}

function csvOf(rows: readonly Row[], names = Object.keys(rows[0]!)): string {
  const field = (value: unknown): string =>
    value === null || value === undefined ? '' : `"${String(value).replaceAll('"', '""')}"`;
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((line) => `${line.map(field).join(',')}\r\n`)
    .join('');
}

function isProblem(code: string, detail = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, detail);
    return true;
  };
}

async function chargedCount(): Promise<number> {
  const { items } = await listCharges(context, { limit: 200 });
  return items.filter((one) => one.unit === 'prediction').reduce((sum, one) => sum + one.quantity, 0);
}

describe('rows', () => {
  test('are answered in their order, by the contract', async () => {
    const endpointId = await endpointFor();
    const { requestId } = context;
    const answer = await predict(context, endpointId, [{ age: 60 }, { age: 21, city: 'Oulu' }, {}]);
    predictOperation.response.json.parse(answer);
    assert.equal(answer.requestId, requestId);
    assert.deepEqual(
      answer.predictions.slice(0, 2).map(({ prediction }) => prediction),
      ['yes', 'no'],
    );
    assert.deepEqual(Object.keys(answer.predictions[0]!.probabilities!), ['no', 'yes']);
    assert.deepEqual(answer.warnings, []);
    const [spend] = (await predict(request(), await endpointFor('spend'), [{ age: 40, city: 'Oulu' }]))
      .predictions;
    assert.ok(spend!.lower! <= Number(spend!.prediction) && Number(spend!.prediction) <= spend!.upper!);
  });

  test('with columns that the model does not know are answered with a warning', async () => {
    const answer = await predict(context, await endpointFor(), [{ age: 60, shoeSize: 44, left: 'no' }]);
    assert.equal(answer.warnings.length, 1);
    assert.match(answer.warnings[0]!, /"shoeSize"/);
  });

  for (const [name, row, detail] of [
    ['text for a number', { age: 'old' }, /"age" must be a number, got "old"/],
    ['a number beyond all bounds', JSON.parse('{"age": 1e999}'), /"age" must be a finite number/],
    ['an object for a number', { age: { years: 3 } }, /"age"/],
    ['an object for a category', { city: { name: 'Turku' } }, /"city"/],
    ['a list', { city: ['Turku'] }, /"city" must be text, got a list/],
    ['a word for a boolean', { member: 'yes' }, /"member"/],
    ['a day that is none', { since: '2026-02-30' }, /"since"/],
  ] as const) {
    test(`with ${name} are refused, naming field and row`, async () => {
      const endpointId = await endpointFor();
      const fault = isProblem('prediction-input', detail);
      await assert.rejects(predict(context, endpointId, [row]), (error: Problem) => {
        assert.doesNotMatch(error.message, /row/);
        return fault(error);
      });
      const good = { age: 30 };
      await assert.rejects(predict(context, endpointId, [good, good, row, good]), (error: Problem) => {
        assert.match(error.message, /\(row 3\)/);
        return fault(error) && error.errors!.length === 1;
      });
    });
  }

  test('of a long request are refused by their own number', async () => {
    const rows = Array.from({ length: 2_600 }, (_, index) => ({
      age: index === 2_400 || index === 2_501 ? 'x' : 30,
    }));
    await assert.rejects(predict(context, await endpointFor(), rows), (error: Problem) => {
      assert.deepEqual(
        error.errors!.map(({ field, message }) => [field, /\(.*\)/.exec(message)![0]]),
        [
          ['age', '(row 2401)'],
          ['age', '(row 2502)'],
        ],
      );
      return isProblem('prediction-input', /1 more error/)(error);
    });
  });

  test('beyond the limit are refused', async () => {
    const endpointId = await endpointFor();
    const rows = Array.from({ length: context.limits.maxPredictionRows + 1 }, () => ({}));
    await assert.rejects(predict(context, endpointId, rows), isProblem('prediction-input', /at most 10000/));
    const answer = await predict(request(), endpointId, rows.slice(1));
    assert.equal(answer.predictions.length, context.limits.maxPredictionRows);
  });
});

test('rows, single rows and CSV get equal answers', async () => {
  const row = fc.record(
    {
      age: fc.option(
        fc.oneof(fc.integer({ min: -5, max: 120 }), fc.double({ noNaN: true, noDefaultInfinity: true })),
      ),
      city: fc.option(
        fc.oneof(
          fc.constantFrom('Turku', 'Oulu', 'Espoo, Uusimaa'),
          fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }),
        ),
      ),
      since: fc.option(
        fc
          .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
          .map((date) => date.toISOString()),
      ),
      member: fc.option(fc.boolean()),
      unknown: fc.constantFrom('a', 'b'),
    },
    { requiredKeys: ['unknown'] },
  );
  for (const target of ['left', 'spend'] as const) {
    // oxlint-disable-next-line no-await-in-loop
    const endpointId = await endpointFor(target);
    // oxlint-disable-next-line no-await-in-loop
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async (rows) => {
        const { predictions, warnings } = await predict(request(), endpointId, rows);
        const single = await Promise.all(rows.map((one) => predict(request(), endpointId, [one])));
        assert.deepEqual(
          single.map((answer) => answer.predictions[0]),
          predictions,
        );
        const csv = await askCsv(endpointId, csvOf(rows, ['member', 'unknown', 'city', 'age', 'since']));
        assert.deepEqual(csv.warnings, warnings);
        assert.deepEqual(
          csv.rows,
          predictions.map(({ prediction, probabilities, lower, upper }) => ({
            prediction: String(prediction),
            ...(probabilities
              ? Object.fromEntries(
                  Object.entries(probabilities).map(([name, value]) => [
                    `probability_${name}`,
                    String(value),
                  ]),
                )
              : { lower: String(lower), upper: String(upper) }),
          })),
        );
      }),
      { numRuns: 40, seed: 20261122 },
    );
  }
});

describe('a CSV file', () => {
  test('is answered line by line, however long', async () => {
    const endpointId = await endpointFor('spend');
    const rows = Array.from({ length: 60_000 }, (_, index) => customers[index % customers.length]!);
    const expected = await predict(context, endpointId, customers);
    const {
      rows: answers,
      text,
      warnings,
    } = await askCsv(endpointId, csvOf(rows, ['age', 'city', 'since', 'member']));
    assert.equal(answers.length, rows.length);
    assert.ok(text.length > 2_000_000);
    assert.deepEqual(warnings, []);
    for (const [index, answer] of answers.entries())
      assert.equal(answer['prediction'], String(expected.predictions[index % customers.length]!.prediction));
  });

  for (const [name, content, code, detail] of [
    ['that is empty', '', 'file-empty', /empty/],
    ['with a header alone', 'age,city\r\n', 'file-empty', /no rows/],
    ['with a byte order mark alone', '\ufeff', 'file-empty', /empty/],
    [
      'with text for a number',
      'age,city\n30,Oulu\n\nold,Oulu\n',
      'prediction-input',
      /"age" must be a number, got "old" \(line 4\)/,
    ],
    ['with a number beyond all bounds', 'age\n1e999\n', 'prediction-input', /line 2/],
    [
      'with bytes that are not text',
      Buffer.concat([Buffer.from('age,city\n30,'), Buffer.from([0xff])]),
      'file-unreadable',
      /Line 2/,
    ],
    ['with a short line', 'age,city\n30,Oulu\n40\n', 'prediction-input', /Line 3 has 1 field/],
    ['with a wild quote', 'age,city\n30,Ou"lu\n', 'file-unreadable', /Line 2/],
  ] as const) {
    test(`${name} is refused`, async () => {
      await assert.rejects(askCsv(await endpointFor(), content), isProblem(code, detail));
    });
  }

  test('that goes wrong late costs nothing and holds nothing', async () => {
    const endpointId = await endpointFor();
    const content = `age\n${'30\n'.repeat(7_000)}old\n${'30\n'.repeat(20)}`;
    await assert.rejects(askCsv(endpointId, content), isProblem('prediction-input', /line 7002/));
    assert.equal(await chargedCount(), 0);
    assert.equal((await listBudgets(context))[0]!.reservedMicroUsd, 0);
  });

  test('is charged when it was answered', async () => {
    const endpointId = await endpointFor();
    await askCsv(endpointId, `age\n${'30\n'.repeat(5_000)}`);
    assert.equal(await chargedCount(), 5_000);
    assert.equal((await listBudgets(context))[0]!.reservedMicroUsd, 0);
  });

  test('whose caller has left is given up', async () => {
    const left = new AbortController();
    left.abort();
    const endpointId = await endpointFor();
    await assert.rejects(
      predictCsv({ ...context, signal: left.signal }, endpointId, streamOf('age\n30\n')),
      isProblem('cancelled'),
    );
  });
});

describe('money', () => {
  const capOf = (capMicroUsd: number): Promise<unknown> =>
    setBudget(context, { scope: { kind: 'workspace' }, period: 'month', capMicroUsd });

  test('a cap ends predictions to the row', async () => {
    const endpointId = await endpointFor();
    await capOf(50 * 7);
    await predict(request(), endpointId, [{}, {}, {}]);
    await assert.rejects(predict(request(), endpointId, Array(5).fill({})), isProblem('budget-exceeded'));
    await predict(request(), endpointId, [{}, {}, {}, {}]);
    await assert.rejects(
      predict(request(), endpointId, [{}]),
      isProblem('budget-exceeded', /leaves \$0\.00/),
    );
  });

  test('a cap that the whole file does not fit into lets none of it be charged', async () => {
    const endpointId = await endpointFor();
    await capOf(50 * 4_100);
    await assert.rejects(askCsv(endpointId, `age\n${'30\n'.repeat(4_500)}`), isProblem('budget-exceeded'));
    assert.equal(await chargedCount(), 0);
    await askCsv(endpointId, `age\n${'30\n'.repeat(4_100)}`);
    assert.equal(await chargedCount(), 4_100);
  });
});

describe('an endpoint', () => {
  test('answers for those alone who may reach it, warm or cold', async () => {
    const endpointId = await endpointFor();
    const stranger = await opened.freshWorkspace();
    const keyOf = (bound: string): Context =>
      opened.contextFor({
        workspaceId: context.workspaceId,
        actor: { kind: 'key', id: 'key_1', role: 'predictor', projectId: bound },
      });
    const outsiders = [stranger, keyOf(await opened.freshProject(context))];
    for (const round of ['cold', 'warm']) {
      for (const outsider of outsiders) {
        // oxlint-disable-next-line no-await-in-loop
        await assert.rejects(predict(outsider, endpointId, [{}]), isProblem('not-found'), round);
        // oxlint-disable-next-line no-await-in-loop
        await assert.rejects(askCsv(endpointId, 'age\n30\n', outsider), isProblem('not-found'), round);
      }
      // oxlint-disable-next-line no-await-in-loop
      await predict(request(), endpointId, [{}]);
    }
    await predict(keyOf(projectId), endpointId, [{}]);
    await assert.rejects(predict(context, 'ep_none', [{}]), isProblem('not-found'));
  });

  test('answers with what was deployed last, at once, and not at all when it is deleted', async () => {
    const endpointId = await endpointFor('left');
    const spend = await opened.freshVersion(context, projectId, 'spend');
    await predict(request(), endpointId, [{}]);
    await deployModel(context, endpointId, [{ modelVersionId: spend.id, trafficShare: 1 }]);
    const answer = await predict(request(), endpointId, [{}]);
    assert.equal(answer.modelVersionId, spend.id);
    assert.equal(typeof answer.predictions[0]!.prediction, 'number');
    await deleteEndpoint(context, endpointId);
    await assert.rejects(predict(request(), endpointId, [{}]), isProblem('not-found'));
  });

  test('splits its traffic by the shares, the same for one request', async () => {
    const endpointId = await endpointFor();
    const versions = [
      await opened.freshVersion(context, projectId),
      await opened.freshVersion(context, projectId),
      await opened.freshVersion(context, projectId),
    ];
    const shares = [0.2, 0, 0.8];
    await deployModel(
      context,
      endpointId,
      versions.map(({ id }, index) => ({ modelVersionId: id, trafficShare: shares[index]! })),
    );
    const counts = new Map<string, number>();
    for (let index = 0; index < 2_000; index++) {
      const of = request(context, `req_${index}`);
      // oxlint-disable-next-line no-await-in-loop
      const { modelVersionId } = await predict(of, endpointId, [{}]);
      counts.set(modelVersionId, (counts.get(modelVersionId) ?? 0) + 1);
      // oxlint-disable-next-line no-await-in-loop
      if (index < 20) assert.equal((await predict(of, endpointId, [{}])).modelVersionId, modelVersionId);
    }
    assert.equal(counts.get(versions[1]!.id), undefined);
    const share = counts.get(versions[0]!.id)! / 2_000;
    assert.ok(Math.abs(share - 0.2) < 0.03, `${share}`);
  });

  test('counts what it answered', async () => {
    const endpointId = await endpointFor();
    await predict(request(), endpointId, [{}, {}]);
    await askCsv(endpointId, 'age\n30\n40\n');
    await assert.rejects(predict(request(), endpointId, [{ age: 'x' }]));
    await closePredictions(opened.services);
    assert.equal((await getEndpoint(context, endpointId)).predictionCount, 4);
    await predict(request(), endpointId, [{}]);
  });
});

test('a warm endpoint answers while the database does not', async () => {
  let isStuck = false;
  const waiting: (() => void)[] = [];
  const passes = (): Promise<void> =>
    isStuck ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve();
  const stuck = await openDeployTest({
    wrapDatabase: (database) => ({
      ...database,
      inWorkspace: (scope, work) => passes().then(() => database.inWorkspace(scope, work)),
      asSystem: (reason, work) => passes().then(() => database.asSystem(reason, work)),
    }),
  });
  try {
    context = await stuck.freshWorkspace();
    projectId = await stuck.freshProject(context);
    const { id: modelVersionId } = await stuck.freshVersion(context, projectId);
    const { id } = await createEndpoint(context, { projectId, name: 'warm', modelVersionId });
    await predict(request(), id, [{}]);
    isStuck = true;
    for (let index = 0; index < 300; index++)
      // oxlint-disable-next-line no-await-in-loop
      assert.equal((await predict(request(), id, [{ age: 60 }])).predictions[0]!.prediction, 'yes');
  } finally {
    isStuck = false;
    for (const pass of waiting) pass();
    await closePredictions(stuck.services);
    await stuck.close();
  }
});

test('without notifications a deployment is seen within two seconds', async () => {
  let nowMs = 0;
  const clock = { nowMs: () => Date.now(), monotonicMs: () => nowMs };
  const deaf = await openDeployTest({
    clock,
    wrapDatabase: (database) => ({ ...database, listen: async () => async () => undefined }),
  });
  try {
    context = await deaf.freshWorkspace();
    projectId = await deaf.freshProject(context);
    const first = await deaf.freshVersion(context, projectId);
    const second = await deaf.freshVersion(context, projectId);
    const { id } = await createEndpoint(context, { projectId, name: 'deaf', modelVersionId: first.id });
    const answering = async (): Promise<string> => (await predict(request(), id, [{}])).modelVersionId;
    assert.equal(await answering(), first.id);
    await deployModel(context, id, [{ modelVersionId: second.id, trafficShare: 1 }]);
    nowMs += 2 * secondMs;
    assert.equal(await answering(), second.id);
  } finally {
    await closePredictions(deaf.services);
    await deaf.close();
  }
});
