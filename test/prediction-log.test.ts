// The log of predictions in the running product: what was answered before the server was killed is there afterwards,
// can be computed again to the last bit, and leaves the server as a document and a file.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { AnswerFor } from '../src/sdk/types.ts';
import { startProduct, until, type Product } from './product.ts';
import { fillWorld } from './world.ts';

test('a killed server keeps what it answered', async () => {
  const product = await startProduct();
  try {
    const { client } = product;
    const { endpointId } = await fillWorld(client, 'kept');
    const rows = Array.from({ length: 5 }, (_, index) => ({ kept_size: 20 * index, kept_place: 'x' }));
    const answers: AnswerFor<'predict'>[] = [];
    for (let request = 0; request < 4; request++)
      answers.push(await client.predict({ endpointId, body: { rows } }));
    await until('the last one is on the disk', () => isOnDisk(product, answers.at(-1)!.requestId));
    await product.kill();
    await product.start();
    const ids = answers.flatMap(({ requestId }) => rows.map((_, row) => `${requestId}-${row}`));
    const { items } = await client.listLoggedPredictions({ endpointId, limit: 200 });
    assert.deepEqual(items.map(({ id }) => id).toSorted(), ids.toSorted());
    const log = await client.getPredictionLog({ endpointId });
    assert.deepEqual([log.rowCount, log.lostRowCount], [ids.length, 0]);

    const { answer, isIdentical } = await client.rerunPrediction({ endpointId, predictionId: ids[2]! });
    assert.ok(isIdentical);
    assert.deepEqual(answer, answers[0]!.predictions[2]);
    const told = await client.sendOutcomesCsv({
      endpointId,
      stream: new Blob([`prediction_id,actual\n${ids[0]},yes\n`]),
      contentType: 'text/csv',
    });
    assert.equal(told.keptCount, 1);
    const sql = 'SELECT count(*), count(actual), min(field_kept_size) FROM predictions';
    const { table } = await client.queryPredictionLog({ endpointId, body: { sql } });
    assert.deepEqual(table.rows, [[ids.length, 1, 0]]);
    const { origin, signature } = await client.getPredictionEvidence({ endpointId, predictionId: ids[2]! });
    assert.equal(origin.trainedFrom?.datasetName, 'kept table');
    const keys = (await client.listSigningKeys()).items.map(({ publicKey }) => publicKey);
    assert.ok(keys.includes(signature.publicKey));
  } finally {
    await product.close();
  }
});

async function isOnDisk({ home }: Product, requestId: string): Promise<boolean> {
  const folder = join(home, 'prediction-log');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ndjson'));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  return texts.some((text) => text.includes(requestId));
}
