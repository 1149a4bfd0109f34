// Monitoring from outside: an endpoint is asked for rows like those its model learned from, then for rows that have moved;
// reports tell the difference, and an alert opens and closes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerFor } from '../src/sdk/types.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { startProduct, until, type Product } from './product.ts';
import { askFor, deployWatched } from './watched-endpoint.ts';

type Report = AnswerFor<'getMonitorReport'>;

let product: Product;
let endpointId: string;
before(async () => {
  product = await startProduct();
  ({ endpointId } = await deployWatched(product.client));
});
after(() => product.close());

/** The report of what was asked since `from`. */
async function reportSince(from: Date): Promise<Report> {
  const { client } = product;
  const to = new Date(Date.now() + 1000);
  const { id, jobId } = await client.makeMonitorReport({
    endpointId,
    body: { from: from.toISOString(), to: to.toISOString() },
  });
  await waitForJob(client, jobId!);
  // Windows that follow do not overlap.
  await sleep(Math.max(0, to.getTime() - Date.now()));
  return await client.getMonitorReport({ reportId: id });
}

test('an endpoint is watched from its first deployment on', async () => {
  const { client } = product;
  await until(
    'there is a monitor',
    async () => (await client.getMonitor({ endpointId })).nextReportAt !== null,
  );
  const { settings, latestReport, openAlerts } = await client.getMonitor({ endpointId });
  assert.deepEqual([settings.isOn, settings.windowHours, settings.reference], [true, 24, 'training']);
  assert.equal(latestReport, null);
  assert.deepEqual(openAlerts, []);
});

test('nobody asked', async () => {
  const { summary, details } = await reportSince(new Date(Date.now() - 60_000));
  assert.equal(summary!.rowCount, 0);
  assert.equal(summary!.headline, 'Nobody asked for a prediction in this time.');
  assert.deepEqual(details!.columns, []);
});

test('rows like those of the training: nothing has moved', async () => {
  const from = new Date();
  await askFor(product.client, endpointId, { rowCount: 900, seed: 2 });
  const { summary, details, state, modelName } = await reportSince(from);
  assert.deepEqual([state, modelName, summary!.rowCount], ['ready', 'leaving customers', 900]);
  assert.equal(summary!.headline, 'Answers still look like what the model learned from.');
  assert.equal(summary!.level, 'same');
  assert.deepEqual(details!.comparedWith, { kind: 'training', rowCount: 1500, why: null });
  assert.ok(summary!.expectedAccuracy! > 0.8);
});

test('rows that have moved: the columns are named, an alert opens, and closes when they are as before', async () => {
  const { client } = product;
  const from = new Date();
  const moved = { amountBy: 60, newCityShare: 0.4, missingShare: 0.1 };
  await askFor(client, endpointId, { rowCount: 900, seed: 3, moved });
  const { id, summary, details } = await reportSince(from);
  assert.equal(summary!.level, 'lot');
  assert.match(summary!.headline, /very different.*moved a lot/);
  assert.deepEqual(
    details!.columns
      .filter(({ drift }) => drift!.level === 'lot')
      .map(({ column }) => column)
      .toSorted(),
    ['amount', 'city'],
  );
  const open = (await client.getMonitor({ endpointId })).openAlerts;
  // One window of moved columns is not two in a row.
  assert.deepEqual(open.map(({ rule }) => rule.measure).toSorted(), ['answers', 'quality']);
  assert.ok(open.every(({ reportId, state }) => reportId === id && state === 'open'));

  const again = new Date();
  await askFor(client, endpointId, { rowCount: 900, seed: 4 });
  await reportSince(again);
  assert.deepEqual((await client.getMonitor({ endpointId })).openAlerts, []);
  const { items } = await client.listAlerts({ endpointId });
  assert.deepEqual([...new Set(items.map(({ state }) => state))], ['closed']);
});

test('compared with the window before', async () => {
  const { client } = product;
  const { settings } = await client.setMonitor({ endpointId, body: { reference: 'previous-window' } });
  assert.equal(settings.reference, 'previous-window');
  assert.equal(settings.windowHours, 24);
  const { details } = await reportSince(new Date(Date.now() - 60_000));
  assert.notEqual(details!.comparedWith.kind, 'training');
  await client.setMonitor({ endpointId, body: { reference: 'training' } });
});

test('addresses of channels are shown in part, and stay when they are sent back so', async () => {
  const { client } = product;
  const channels = [{ kind: 'slack' as const, address: 'https://hooks.example.com/services/T0/B0/secret' }];
  const { settings } = await client.setMonitor({ endpointId, body: { channels } });
  assert.deepEqual(settings.channels, [{ kind: 'slack', address: 'https://hooks.example.com/…cret' }]);
  const added = { kind: 'webhook' as const, address: 'https://example.com' };
  const again = await client.setMonitor({
    endpointId,
    body: { channels: [...settings.channels, added] },
  });
  assert.deepEqual(again.settings.channels, [...settings.channels, added]);
  await client.setMonitor({ endpointId, body: { channels: [] } });
});

test('what makes no sense is refused', async () => {
  const { client } = product;
  const at = new Date().toISOString();
  await assert.rejects(client.makeMonitorReport({ endpointId, body: { from: at, to: at } }), /before "to"/);
  await assert.rejects(client.setMonitor({ endpointId, body: { windowHours: 0 } }), {
    code: 'invalid-request',
  });
  const rules = [{ measure: 'answers' as const, opensFrom: 0.1, closesBelow: 0.2, windowCount: 1 }];
  await assert.rejects(client.setMonitor({ endpointId, body: { rules } }), { code: 'invalid-request' });
  const channels = [{ kind: 'webhook' as const, address: 'file:///etc/passwd' }];
  await assert.rejects(client.setMonitor({ endpointId, body: { channels } }), { code: 'invalid-request' });
  const nobody = [{ kind: 'mail' as const, address: 'not an address' }];
  await assert.rejects(client.setMonitor({ endpointId, body: { channels: nobody } }), {
    code: 'invalid-request',
  });
  const mail = [{ kind: 'mail' as const, address: 'ann@example.org' }];
  await assert.rejects(client.setMonitor({ endpointId, body: { channels: mail } }), /SMTP_URL/);
  await assert.rejects(client.getMonitorReport({ reportId: 'rpt_none' }), { code: 'not-found' });
});

test('with the endpoint goes all that was found out', async () => {
  const { client } = product;
  const { items } = await client.listMonitorReports({ endpointId });
  assert.ok(items.length >= 4);
  await client.deleteEndpoint({ endpointId });
  await assert.rejects(client.getMonitor({ endpointId }), { code: 'not-found' });
  await until('the reports are gone', async () => {
    try {
      await client.getMonitorReport({ reportId: items[0]!.id });
      return false;
    } catch {
      return true;
    }
  });
});
