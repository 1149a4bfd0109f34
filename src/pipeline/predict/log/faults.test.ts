// The log when things go wrong: a disk without room, a process that is killed at any moment, two servers on one database.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Context } from '../../../platform/context.ts';
import { openLog } from '../../../platform/drivers/log.ts';
import type { Database } from '../../../platform/ports/database.ts';
import { mountSmallDisk } from '../../../platform/testing.ts';
import { predict } from '../predict.ts';
import { loggedParts } from './log.ts';
import { getPredictionLog } from './reads.ts';
import { recordLine } from './record.ts';
import { SegmentFolder } from './segments.ts';
import { ServerLog } from './server-log.ts';
import { openLogTest, type LogTest } from './testing.ts';

let opened: LogTest;

before(async () => {
  opened = await openLogTest();
});
after(() => opened?.close());

const stream = (context: Context, endpointId: string, modelVersionId: string) => ({
  workspaceId: context.workspaceId,
  projectId: 'prj_1',
  endpointId,
  deploymentId: 'dep_1',
  revision: 1,
  modelVersionId,
  modelFileSha256: '0'.repeat(64),
  fields: [],
});

test('a full disk: answers go on, rows wait, and what cannot wait is counted and told', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const disk = mountSmallDisk(t, folder, 2);
  if (!disk) return await rm(folder, { recursive: true });
  const told: string[] = [];
  const log = {
    ...openLog({ level: 'silent' }),
    error: (_: object, message: string) => void told.push(message),
  };
  const { context, endpointId, modelVersionId } = await opened.freshEndpoint();
  const segments = await SegmentFolder.open(join(folder, 'log'));
  const server = new ServerLog({ ...opened.services, log }, segments);
  try {
    await writeFile(join(folder, 'ballast'), new Uint8Array(4_194_304)).catch(() => undefined);
    const line = `${JSON.stringify({ i: 'req_1', f: 'x'.repeat(100_000) })}\n`;
    const asked = 400;
    for (let row = 0; row < asked; row++) server.add(stream(context, endpointId, modelVersionId), [line]);
    await server.write();
    const { pendingRowCount, lostRowCount } = server.countsOf(endpointId)!;
    assert.equal(pendingRowCount + lostRowCount, asked);
    assert.ok(lostRowCount > 0 && pendingRowCount > 300, `${pendingRowCount} wait, ${lostRowCount} are lost`);
    assert.match(told.join(), /cannot be written/);
    await server.tend();
    assert.match(told.join(), /were lost from the log/);
    const status = await getPredictionLog(context, endpointId);
    assert.equal(status.lostRowCount, lostRowCount);
    assert.ok(status.lostAt !== null);
    // With room again, what waited is written.
    await rm(join(folder, 'ballast'));
    disk.resize(64);
    await server.write();
    assert.equal(server.countsOf(endpointId)!.pendingRowCount, pendingRowCount);
    server.add(stream(context, endpointId, modelVersionId), [line]);
    assert.equal(server.countsOf(endpointId)!.pendingRowCount, pendingRowCount + 1);
  } finally {
    await server.close();
    disk.unmount();
    await rm(folder, { recursive: true });
  }
});

test('a server that is killed when its part is stored leaves every row once', async () => {
  const { context, endpointId, modelVersionId } = await opened.freshEndpoint();
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const killing = await SegmentFolder.open(folder);
  const server = new ServerLog(
    { ...opened.services, database: dyingAfterStoring(context.database) },
    killing,
  );
  server.add(stream(context, endpointId, modelVersionId), linesOf(context, 3));
  await assert.rejects(server.flush(endpointId), /killed/);
  await server.close();
  const next = new ServerLog(opened.services, await SegmentFolder.open(folder));
  await next.adopt();
  assert.equal(next.countsOf(endpointId)!.pendingRowCount, 3);
  await next.flush(endpointId);
  assert.equal(next.countsOf(endpointId)!.pendingRowCount, 0);
  const { predictions } = await loggedParts(context, { endpointId, isFresh: false });
  assert.deepEqual(
    predictions.map(({ rowCount }) => rowCount),
    [3],
  );
  await next.close();
  await rm(folder, { recursive: true });
});

test('what one server holds is found by asking another', async () => {
  const { context, endpointId, modelVersionId } = await opened.freshEndpoint();
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const other = new ServerLog(opened.services, await SegmentFolder.open(folder));
  other.add(stream(context, endpointId, modelVersionId), linesOf(context, 2));
  await other.tend();
  await predict({ ...context, requestId: context.newId('request') }, endpointId, [{ age: 1 }]);
  const counted = await getPredictionLog(context, endpointId);
  assert.deepEqual([counted.rowCount, counted.pendingRowCount], [3, 3]);
  const { predictions, missingRowCount } = await loggedParts(context, { endpointId, isFresh: true });
  assert.equal(missingRowCount, 0);
  assert.equal(
    predictions.reduce((sum, { rowCount }) => sum + rowCount, 0),
    3,
  );
  await other.close();
  await rm(folder, { recursive: true });
});

function linesOf(context: Context, count: number): (string | undefined)[] {
  const requestId = context.newId('request');
  return Array.from({ length: count }, (_, rowIndex) => {
    const [given, answer] = [{ age: rowIndex }, { prediction: 'yes' }];
    const shared = { requestId, timeMs: context.clock.nowMs(), latencyMs: 1, askedBy: 'usr_1' };
    return recordLine({ ...shared, rowIndex, form: 'json', given, answer }, new Set());
  });
}

/** The database of a server that dies when its first part is committed: nothing that comes after is done. */
function dyingAfterStoring(database: Database): Database {
  return {
    dialect: database.dialect,
    inWorkspace: (scope, work) => database.inWorkspace(scope, work),
    textQuery: (transaction, text, values) => database.textQuery(transaction, text, values),
    listen: (channel, wake) => database.listen(channel, wake),
    ping: () => database.ping(),
    close: () => database.close(),
    asSystem: async (reason, work) => {
      const result = await database.asSystem(reason, work);
      if (reason === 'add a part of the prediction log') throw new Error('killed');
      return result;
    },
  };
}
