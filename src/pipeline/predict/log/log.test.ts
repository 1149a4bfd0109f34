// The log from the answer to the Parquet part: what is kept, what is not, and that every row is counted once.
import assert from 'node:assert/strict';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Context } from '../../../platform/context.ts';
import { openDataEngine } from '../../../platform/drivers/duckdb.ts';
import type { Cell } from '../../../platform/ports/data-engine.ts';
import { deleteEndpoint, setLogSettings } from '../../deploy/deploy.ts';
import { predict, predictCsv } from '../predict.ts';
import { predictReactions } from '../reactions.ts';
import { logTable } from './layout.ts';
import { loggedParts, predictionLogBlobs } from './log.ts';
import { isRowKept } from './recording.ts';
import { openLogTest, type LogTest } from './testing.ts';

let opened: LogTest;

before(async () => {
  opened = await openLogTest();
});
after(() => opened?.close());

type Row = Record<string, Cell>;

/** All rows of the log, by column. */
async function logged(context: Context, endpointId: string): Promise<Row[]> {
  const parts = await loggedParts(context, { endpointId, isFresh: true });
  assert.equal(parts.missingRowCount, 0);
  const paths = (of: { contentSha256: string }[]): Promise<string[]> =>
    Promise.all(of.map(({ contentSha256 }) => context.blobs.localPath(contentSha256)));
  const [predictions, outcomes] = [await paths(parts.predictions), await paths(parts.outcomes)];
  const engine = await openDataEngine({
    memoryBytes: 268_435_456,
    threads: 1,
    workFolder: opened.folder,
    maxSpillBytes: 268_435_456,
    readablePaths: [...predictions, ...outcomes],
  });
  try {
    const { text } = logTable({ predictions, outcomes });
    const { columns, rows } = await engine.query(`${text} ORDER BY logged.request_id, row_index`, {
      maxRows: 100_000,
      maxBytes: 1e8,
    });
    const total = parts.predictions.reduce((sum, { rowCount }) => sum + rowCount, 0);
    assert.equal(rows.length, total);
    return rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]!])));
  } finally {
    engine.close();
  }
}

function request(of: Context): Context {
  return { ...of, requestId: of.newId('request') };
}

test('rows are kept as they were given and answered, with a column for each field', async () => {
  const { context, endpointId, modelVersionId } = await opened.freshEndpoint();
  const rows = [
    { age: 60.1, city: 'Espoo, "Uusimaa"\u0000 \ud800', member: true, since: '2020-02-03', shoeSize: 44 },
    { age: null, city: 'Oulu' },
    {},
  ];
  const asked = request(context);
  const answer = await predict(asked, endpointId, rows);
  const found = await logged(context, endpointId);
  assert.deepEqual(
    found.map((row) => row['prediction_id']),
    rows.map((_, index) => `${asked.requestId}-${index}`),
  );
  found.forEach((row, index) => {
    assert.deepEqual(JSON.parse(String(row['given'])), rows[index]);
    assert.deepEqual(JSON.parse(String(row['answer'])), answer.predictions[index]);
    assert.equal(row['prediction'], answer.predictions[index]!.prediction);
    assert.equal(row['model_version_id'], modelVersionId);
    assert.equal(row['asked_by'], context.actor.id);
    assert.match(String(row['model_file_sha256']), /^[0-9a-f]{64}$/);
  });
  // A text that is no valid Unicode is in `given`, and only there.
  assert.equal(found[0]!['field_age'], null);
  assert.equal(found[1]!['field_city'], 'Oulu');
  assert.equal(found[1]!['field_age'], null);
});

test('numbers and booleans are in columns of their kind', async () => {
  const { context, endpointId } = await opened.freshEndpoint('spend');
  const answer = await predict(request(context), endpointId, [{ age: 0.1 + 0.2, city: 'x', member: false }]);
  const [row] = await logged(context, endpointId);
  assert.equal(row!['field_age'], 0.1 + 0.2);
  assert.equal(row!['field_member'], false);
  assert.equal(row!['prediction_number'], answer.predictions[0]!.prediction);
  assert.equal(row!['lower'], answer.predictions[0]!.lower);
});

test('rows of a CSV file are kept as text; of a refused file nothing is', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  const ask = async (text: string): Promise<void> => {
    const source = (async function* () {
      yield Buffer.from(text);
    })();
    const { output } = await predictCsv(request(context), endpointId, source);
    for await (const _ of output.body);
  };
  await ask('age,member,city\n 60 ,YES,\n21,,Oulu\n');
  await assert.rejects(ask('age\n60\nold\n'));
  const found = await logged(context, endpointId);
  assert.equal(found.length, 2);
  assert.deepEqual(JSON.parse(String(found[0]!['given'])), { age: ' 60 ', member: 'YES', city: '' });
  assert.equal(found[0]!['form'], 'text');
  assert.equal(found[0]!['field_age'], 60);
  assert.equal(found[0]!['field_member'], true);
  assert.equal(found[0]!['field_city'], null);
});

test('long files are thinned evenly', () => {
  const kept = (from: number, to: number): number =>
    Array.from({ length: to - from }, (_, index) => isRowKept(from + index)).filter(Boolean).length;
  assert.equal(kept(0, 5_000), 5_000);
  assert.equal(kept(5_000, 10_000), 2_500);
  assert.equal(kept(80_000, 160_000), 2_500);
});

test('values of redacted fields are written nowhere', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  await setLogSettings(context, endpointId, { redactedColumns: ['city', 'name'] });
  const secret = 'Rovaniemi-7Q';
  await predict(request(context), endpointId, [{ age: 60, city: secret, name: secret }, { age: 61 }]);
  const [row, other] = await logged(context, endpointId);
  assert.deepEqual(JSON.parse(String(row!['given'])), { age: 60 });
  assert.deepEqual(JSON.parse(String(row!['redacted'])), ['city', 'name']);
  assert.equal(row!['field_city'], null);
  assert.equal(other!['redacted'], null);
  assert.ok(!JSON.stringify(row).includes(secret));
});

test('the share decides by request, the same on every server', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  await setLogSettings(context, endpointId, { share: 0.5 });
  const contexts = Array.from({ length: 60 }, () => request(context));
  for (const one of [...contexts, ...contexts]) await predict(one, endpointId, [{ age: 1 }, { age: 2 }]);
  const byRequest = Map.groupBy(await logged(context, endpointId), (row) => row['request_id']);
  assert.ok(byRequest.size > 15 && byRequest.size < 45, `${byRequest.size} of 60`);
  for (const rows of byRequest.values()) assert.equal(rows.length, 4);
});

test('whoever looks often gets one part a day, with every row once', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  for (let round = 1; round <= 4; round++) {
    await predict(request(context), endpointId, [{ age: round }, { age: round }]);
    assert.equal((await logged(context, endpointId)).length, 2 * round);
  }
  assert.equal((await loggedParts(context, { endpointId, isFresh: false })).predictions.length, 1);
});

test('a stopped server hands on what it has not made into parts; a torn line is no row', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  await predict(request(context), endpointId, [{ age: 1 }, { age: 2 }]);
  await opened.closeLog();
  const files = await readdir(opened.folder, { recursive: true });
  const segments = await Promise.all(
    files
      .filter((name) => name.endsWith('.ndjson'))
      .map(async (name) => ({ name, text: await readFile(join(opened.folder, name), 'utf8') })),
  );
  const segment = segments.find(({ text }) => text.includes(endpointId))!;
  await appendFile(join(opened.folder, segment.name), '{"i":"req_torn');
  await opened.openLog();
  await predict(request(context), endpointId, [{ age: 3 }]);
  const found = await logged(context, endpointId);
  assert.deepEqual(
    found.map((row) => row['field_age']),
    [1, 2, 3],
  );
});

test('the log of a deleted endpoint goes, and of another workspace there is none', async () => {
  const { context, endpointId } = await opened.freshEndpoint();
  const { context: stranger } = await opened.freshEndpoint();
  await predict(request(context), endpointId, [{ age: 1 }]);
  await logged(context, endpointId);
  assert.equal((await loggedParts(stranger, { endpointId, isFresh: true })).predictions.length, 0);
  const { predictions } = await loggedParts(context, { endpointId, isFresh: true });
  await predict(request(context), endpointId, [{ age: 2 }]);
  await deleteEndpoint(context, endpointId);
  const event = { name: 'endpoint-deleted', projectId: null, eventId: 'evt_1', data: { endpointId } };
  await predictReactions[0]!.react(context, event);
  assert.deepEqual(await loggedParts(context, { endpointId, isFresh: true }), {
    predictions: [],
    outcomes: [],
    missingRowCount: 0,
  });
  const blobs = await context.database.asSystem('test', predictionLogBlobs);
  assert.ok(!blobs.includes(predictions[0]!.contentSha256));
});
