// The audit log against those who would change it: every kind of change to every line is found.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql, type SQL } from 'drizzle-orm';
import fc from 'fast-check';
import type { JsonObject } from '../../../base/json.ts';
import type { Context } from '../../context.ts';
import type { TestServices } from '../../testing.ts';
import { openTestServer } from '../security.fixture.ts';
import { listAuditLines, verifyAudit } from './audit.ts';

let server: TestServices;
before(async () => {
  server = await openTestServer();
});
after(() => server.close());

async function append(context: Context, action: string, details: JsonObject = {}): Promise<void> {
  await context.transaction((transaction) =>
    context.audit(transaction, { action, subjectId: 'ds_1', details }),
  );
}

/** A workspace whose log has this many lines. */
async function logOf(lineCount: number): Promise<Context> {
  const context = server.contextFor();
  await context.transaction(async (transaction) => {
    for (let line = 1; line <= lineCount; line++) {
      await context.audit(transaction, {
        action: `step:${line}`,
        subjectId: `ds_${line}`,
        details: { line },
      });
    }
  });
  return context;
}

/** What someone with all rights over the database does. */
async function tamper(context: Context, statement: (workspaceId: string) => SQL): Promise<void> {
  await server.services.database.asSystem('tamper', (transaction) =>
    transaction.execute(statement(context.workspaceId)),
  );
}

describe('the audit log', () => {
  it('is whole when nothing was changed, and empty before anything happened', async () => {
    assert.deepEqual(await verifyAudit(server.contextFor()), {
      lineCount: 0,
      intact: true,
      firstBrokenSequence: null,
      headHash: null,
    });
    const context = await logOf(5);
    const { items } = await listAuditLines(context, { limit: 10 });
    assert.deepEqual(
      items.map(({ sequence }) => sequence),
      [5, 4, 3, 2, 1],
    );
    assert.deepEqual(items[0]!.actor, { kind: 'user', id: context.actor.id });
    assert.deepEqual(items[0]!.details, { line: 5 });
    assert.deepEqual(await verifyAudit(context), {
      lineCount: 5,
      intact: true,
      firstBrokenSequence: null,
      headHash: items[0]!.hash,
    });
  });

  it('pages from the newest line to the first', async () => {
    const context = await logOf(7);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await listAuditLines(context, { limit: 3, cursor });
      seen.push(...page.items.map(({ sequence }) => sequence));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(seen, [7, 6, 5, 4, 3, 2, 1]);
    await assert.rejects(listAuditLines(context, { limit: 3, cursor: 'x' }), { code: 'invalid-request' });
  });

  it('keeps its chain when 50 append at once, and a page of verification is not its end', async () => {
    const context = await logOf(1000);
    await Promise.all(Array.from({ length: 50 }, (_, index) => append(context, `at-once:${index}`)));
    const { lineCount, intact } = await verifyAudit(context);
    assert.deepEqual({ lineCount, intact }, { lineCount: 1050, intact: true });
  });

  it('loses no line and tells of no change that was undone', async () => {
    const context = await logOf(1);
    const undone = context.transaction(async (transaction) => {
      await context.audit(transaction, { action: 'undone', subjectId: 'x' });
      throw new Error('rolled back');
    });
    await assert.rejects(undone, /rolled back/);
    await append(context, 'done');
    const { items } = await listAuditLines(context, { limit: 10 });
    assert.deepEqual(
      items.map(({ action }) => action),
      ['done', 'step:1'],
    );
    assert.equal((await verifyAudit(context)).intact, true);
  });

  it('gives back any details as they were', async () => {
    const context = server.contextFor();
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async (given) => {
        const details = JSON.parse(JSON.stringify(given)) as JsonObject;
        await append(context, 'any', details);
        const { items } = await listAuditLines(context, { limit: 1 });
        assert.deepEqual(items[0]!.details, details);
      }),
      { numRuns: 50 },
    );
    await append(context, 'odd', { text: 'NUL \u0000, half a pair \ud800', number: 1e-300 });
    assert.equal((await verifyAudit(context)).intact, true);
  });

  it('of one workspace is not that of another', async () => {
    const [one, other] = [await logOf(3), await logOf(2)];
    assert.equal((await listAuditLines(one, { limit: 10 })).items.length, 3);
    assert.equal((await verifyAudit(other)).lineCount, 2);
  });

  it('cannot be changed by the tenant role', async () => {
    const context = await logOf(3);
    const attempts = [
      sql`update audit_lines set action = 'nothing' where sequence = 2`,
      sql`delete from audit_lines where sequence = 3`,
      sql`truncate audit_lines`,
    ];
    for (const statement of attempts) {
      await context.transaction((transaction) => transaction.execute(statement)).catch(() => {});
    }
    const { lineCount, intact } = await verifyAudit(context);
    assert.deepEqual({ lineCount, intact }, { lineCount: 3, intact: true });
  });
});

describe('tampering is found', () => {
  const lineCount = 4;
  const changes: Record<string, (workspaceId: string, line: number) => SQL> = {
    'the action': (ws, line) =>
      sql`update audit_lines set action = 'other' where workspace_id = ${ws} and sequence = ${line}`,
    'the subject': (ws, line) =>
      sql`update audit_lines set subject_id = 'other' where workspace_id = ${ws} and sequence = ${line}`,
    'the details': (ws, line) =>
      sql`update audit_lines set details = '{}' where workspace_id = ${ws} and sequence = ${line}`,
    'the spelling of the details': (ws, line) =>
      sql`update audit_lines set details = details || ' ' where workspace_id = ${ws} and sequence = ${line}`,
    'the actor': (ws, line) =>
      sql`update audit_lines set actor_id = 'usr_other' where workspace_id = ${ws} and sequence = ${line}`,
    'the kind of actor': (ws, line) =>
      sql`update audit_lines set actor_kind = 'system' where workspace_id = ${ws} and sequence = ${line}`,
    'the time, by a millisecond': (ws, line) =>
      sql`update audit_lines set at = at + interval '1 millisecond' where workspace_id = ${ws} and sequence = ${line}`,
    'the hash': (ws, line) =>
      sql`update audit_lines set hash = repeat('0', 64) where workspace_id = ${ws} and sequence = ${line}`,
    'the line itself, by removing it': (ws, line) =>
      sql`delete from audit_lines where workspace_id = ${ws} and sequence = ${line}`,
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`in any line: ${what}`, async () => {
      for (let line = 1; line <= lineCount; line++) {
        const context = await logOf(lineCount);
        await tamper(context, (workspaceId) => change(workspaceId, line));
        const { intact, firstBrokenSequence } = await verifyAudit(context);
        assert.deepEqual({ intact, firstBrokenSequence }, { intact: false, firstBrokenSequence: line });
      }
    });
  }

  it('when two lines change places', async () => {
    const context = await logOf(4);
    for (const [from, to] of [
      [2, 99],
      [3, 2],
      [99, 3],
    ]) {
      await tamper(
        context,
        (ws) =>
          sql`update audit_lines set sequence = ${to} where workspace_id = ${ws} and sequence = ${from}`,
      );
    }
    assert.equal((await verifyAudit(context)).firstBrokenSequence, 2);
  });

  it('when a removed line is covered up by counting anew', async () => {
    const context = await logOf(4);
    await tamper(context, (ws) => sql`delete from audit_lines where workspace_id = ${ws} and sequence = 2`);
    for (const sequence of [3, 4]) {
      await tamper(
        context,
        (ws) =>
          sql`update audit_lines set sequence = ${sequence - 1} where workspace_id = ${ws} and sequence = ${sequence}`,
      );
    }
    assert.equal((await verifyAudit(context)).firstBrokenSequence, 2);
  });

  it('when the whole log is gone, or its head', async () => {
    const emptied = await logOf(3);
    await tamper(emptied, (ws) => sql`delete from audit_lines where workspace_id = ${ws}`);
    assert.equal((await verifyAudit(emptied)).firstBrokenSequence, 1);
    const beheaded = await logOf(3);
    await tamper(beheaded, (ws) => sql`delete from audit_heads where workspace_id = ${ws}`);
    assert.equal((await verifyAudit(beheaded)).firstBrokenSequence, 1);
  });

  it('when a line of another workspace is put in', async () => {
    const [context, other] = [await logOf(2), await logOf(3)];
    await tamper(
      context,
      (ws) =>
        sql`update audit_lines set workspace_id = ${ws} where workspace_id = ${other.workspaceId} and sequence = 3`,
    );
    await tamper(
      context,
      (ws) =>
        sql`update audit_heads set (sequence, hash) = (select sequence, hash from audit_lines where workspace_id = ${ws} and sequence = 3) where workspace_id = ${ws}`,
    );
    assert.equal((await verifyAudit(context)).firstBrokenSequence, 3);
  });
});
