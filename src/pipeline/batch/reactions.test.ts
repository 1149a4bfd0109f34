// Callbacks as a receiver sees them: signed, sent once, tried again, given up. The receiver is a server on this machine,
// which the egress client is told to allow.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { hourMs, systemClock } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import { openEgress } from '../../platform/drivers/egress.ts';
import { openTestServices, type TestServices } from '../../platform/testing.ts';
import { batchReactions } from './reactions.ts';
import { addBatch, findBatch, type BatchRow } from './rows.ts';

const secret = 'a secret of twenty-four characters';
let receiver: Server;
let url: string;
let status: number;
let seen: { headers: IncomingHttpHeaders; body: string }[];
let opened: TestServices;
let context: Context;
let nowMs: number;

before(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(status).end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  url = `http://127.0.0.1:${port}/ended`;
  opened = await openTestServices({
    egress: openEgress({ allowedAddresses: ['127.0.0.1'], allowedPorts: [port] }),
    clock: { ...systemClock, nowMs: () => nowMs },
  });
});
beforeEach(() => {
  nowMs = Date.UTC(2026, 10, 23);
  [status, seen] = [200, []];
  context = opened.contextFor();
});
after(async () => {
  receiver.close();
  await opened.close();
});

async function ended(callbackUrl = url): Promise<string> {
  const row: BatchRow = {
    id: context.newId('batch'),
    workspaceId: context.workspaceId,
    projectId: 'prj_one',
    createdAt: new Date(nowMs),
    jobId: 'job_one',
    state: 'succeeded',
    input: { kind: 'table', parts: [], options: {} },
    inputLabel: 'rows.csv',
    endpointId: null,
    modelVersionId: 'mdv_one',
    modelName: 'model',
    versionNumber: 1,
    output: { format: 'csv', columns: null, badRows: 'mark', datasetName: null },
    keptColumns: [],
    rowCount: 3,
    answeredRowCount: 3,
    problems: [],
    warnings: [],
    fileSha256: null,
    fileSizeBytes: null,
    datasetId: null,
    datasetVersionId: null,
    reservationId: 'rsv_one',
    payingKeyId: null,
    reservedMicroUsd: 3,
    chargedMicroUsd: 3,
    callback: { url: callbackUrl, secret, state: 'waiting', detail: '' },
    problem: null,
    startedAt: null,
    finishedAt: new Date(nowMs),
  };
  await context.transaction((transaction) => addBatch(transaction, row));
  return row.id;
}

function react(batchId: string): Promise<void> {
  const event = { name: 'batch-finished', projectId: 'prj_one', data: { batchId }, eventId: 'evt_one' };
  return batchReactions[0]!.react(context, event);
}

async function callbackOf(batchId: string): Promise<BatchRow['callback']> {
  return (await context.transaction((transaction) => findBatch(transaction, batchId)))!.callback;
}

test('the call is signed over id, time and body, and comes once', async () => {
  const batchId = await ended();
  await react(batchId);
  await react(batchId);
  assert.equal(seen.length, 1);
  const [{ headers, body }] = seen as [(typeof seen)[number]];
  const signed = `evt_one.${nowMs / 1000}.${body}`;
  assert.equal(headers['webhook-id'], 'evt_one');
  assert.equal(headers['webhook-timestamp'], String(nowMs / 1000));
  assert.equal(
    headers['webhook-signature'],
    `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`,
  );
  const told = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual([told['batchId'], told['state'], told['rowCount']], [batchId, 'succeeded', 3]);
  assert.equal(told['filePath'], `/api/v1/batches/${batchId}/file`);
  assert.deepEqual(await callbackOf(batchId), {
    url,
    secret: null,
    state: 'delivered',
    detail: 'Answered with status 200.',
  });
});

test('what may pass is tried again, for an hour', async () => {
  const batchId = await ended();
  status = 503;
  await assert.rejects(react(batchId), { code: 'source-failed' });
  assert.equal((await callbackOf(batchId))?.state, 'waiting');
  status = 204;
  await react(batchId);
  assert.equal((await callbackOf(batchId))?.state, 'delivered');
  const other = await ended();
  status = 503;
  nowMs += 2 * hourMs;
  await react(other);
  assert.deepEqual(await callbackOf(other), {
    url,
    secret: null,
    state: 'failed',
    detail: 'The address answered with status 503.',
  });
});

test('a refusal, a redirect elsewhere and an inner address are the last word', async () => {
  const refused = await ended();
  status = 404;
  await react(refused);
  assert.equal((await callbackOf(refused))?.state, 'failed');
  const inner = await ended('http://169.254.169.254/latest');
  await react(inner);
  const callback = await callbackOf(inner);
  assert.equal(callback?.state, 'failed');
  assert.match(callback.detail, /not on the public internet|port/i);
  assert.equal(seen.length, 1);
});
