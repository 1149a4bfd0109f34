// The audit log: who did what, one line for each change, append-only. Each line is hashed together with the hash of
// the line before (a hash chain: Schneier and Kelsey 1999), so that a line that was changed, removed or moved
// breaks the chain from there on; the head is kept apart, so that lines cut off at the end are missed too.
//
// Someone who can rewrite both tables can also make a new, whole chain. Whoever has to exclude that notes the
// `headHash` of a verification elsewhere from time to time: an older head has to be found in the chain for ever.
import { hash } from 'node:crypto';
import type { Sha256 } from '../../../base/hash.ts';
import { canonicalJson, type JsonObject } from '../../../base/json.ts';
import type { Clock } from '../../../base/time.ts';
import { toIso } from '../../../base/time.ts';
import type { Actor, AuditEntry, Context } from '../../context.ts';
import { pageOf, readSequenceCursor } from '../../http/cursor.ts';
import type { Transaction } from '../../ports/database.ts';
import {
  insertLine,
  lockHead,
  readHead,
  readLinesAfter,
  readLinesBefore,
  type AuditHead,
  type AuditRow,
} from './rows.ts';

/** Stands before the first line. */
const genesis: AuditHead = { sequence: 0, hash: '0'.repeat(64) };
const verifiedAtOnce = 1000;

/** Who acts, where, and when. */
export interface AuditOrigin {
  workspaceId: string;
  actor: Actor;
  clock: Clock;
}

/**
 * Adds a line to the log of a workspace with the transaction. It holds a lock on the log until the transaction ends:
 * call it last, after the change itself, so that nobody waits for longer than needed.
 */
export async function appendAudit(
  transaction: Transaction,
  { workspaceId, actor, clock }: AuditOrigin,
  { action, subjectId, details = {} }: AuditEntry,
): Promise<void> {
  await lockHead(transaction, workspaceId);
  const before = (await readHead(transaction, workspaceId)) ?? genesis;
  const line: Omit<AuditRow, 'hash'> = {
    workspaceId,
    sequence: before.sequence + 1,
    at: new Date(clock.nowMs()),
    actorKind: actor.kind,
    actorId: actor.id,
    action,
    subjectId,
    details: canonicalJson(details),
  };
  await insertLine(transaction, { ...line, hash: hashOf(line, before.hash) });
}

/** A line as the API shows it. */
export interface AuditLine {
  sequence: number;
  /** RFC 3339. */
  at: string;
  actor: { kind: 'user' | 'key' | 'system'; id: string };
  action: string;
  subjectId: string;
  details: JsonObject;
  hash: Sha256;
}

/** The log, newest first. */
export async function listAuditLines(
  context: Context,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<{ items: AuditLine[]; nextCursor: string | null }> {
  const before = readSequenceCursor(cursor);
  const rows = await context.transaction((transaction) =>
    readLinesBefore(transaction, context.workspaceId, before, limit + 1),
  );
  return pageOf(rows, limit, (row) => String(row.sequence), show);
}

/** What a verification found. */
export interface AuditVerification {
  lineCount: number;
  intact: boolean;
  /** The first line that is missing, or whose hash does not follow from its content and the line before. */
  firstBrokenSequence: number | null;
  /** Hash of the newest line; null while there is none. */
  headHash: Sha256 | null;
}

/** Follows the whole chain, some lines at a time: its memory does not grow with the log. */
export async function verifyAudit(context: Context): Promise<AuditVerification> {
  const { workspaceId } = context;
  const head = await context.transaction((transaction) => readHead(transaction, workspaceId));
  const until = head?.sequence ?? 0;
  let previous: AuditHead = genesis;
  let lineCount = 0;
  let firstBroken: number | null = null;
  // Lines up to the head were committed before it was read; what is appended meanwhile is left to the next time.
  for (;;) {
    context.signal.throwIfAborted();
    const lines = await context.transaction((transaction) =>
      readLinesAfter(transaction, workspaceId, previous.sequence, verifiedAtOnce),
    );
    const judged = head === undefined ? lines : lines.filter(({ sequence }) => sequence <= until);
    for (const line of judged) {
      firstBroken ??= brokenAt(line, previous);
      previous = line;
      lineCount += 1;
    }
    if (judged.length < verifiedAtOnce) break;
  }
  // The end has to be the head: else lines are missing there, or the newest one was written anew.
  if (previous.sequence !== until) firstBroken ??= Math.min(previous.sequence, until) + 1;
  if (previous.hash !== (head ?? genesis).hash) firstBroken ??= previous.sequence;
  return {
    lineCount,
    intact: firstBroken === null,
    firstBrokenSequence: firstBroken,
    headHash: lineCount === 0 ? null : previous.hash,
  };
}

function brokenAt(line: AuditRow, previous: AuditHead): number | null {
  const next = previous.sequence + 1;
  return line.sequence === next && line.hash === hashOf(line, previous.hash) ? null : next;
}

function hashOf(line: Omit<AuditRow, 'hash'>, previousHash: Sha256): Sha256 {
  const { workspaceId, sequence, at, actorKind, actorId, action, subjectId, details } = line;
  const content = { workspaceId, sequence, at: at.getTime(), actorKind, actorId, action, subjectId, details };
  return hash('sha256', canonicalJson({ ...content, previousHash }));
}

function show({ sequence, at, actorKind, actorId, action, subjectId, details, hash }: AuditRow): AuditLine {
  return {
    sequence,
    at: toIso(at.getTime()),
    actor: { kind: actorKind, id: actorId },
    action,
    subjectId,
    details: JSON.parse(details) as JsonObject,
    hash,
  };
}
