// What the database reports, told apart: the world's failures become Problems; a statement that is wrong stays an
// error of ours, with its SQL but without its parameters, which may be secrets.
import { DrizzleQueryError } from 'drizzle-orm';
import { Problem } from '../../base/problems.ts';

/** A statement that the database refused. */
export class QueryFailure extends Error {
  override name = 'QueryFailure';
  /** SQLSTATE, such as `23505` (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
  readonly sqlState: string | undefined;

  constructor(statement: string | undefined, cause: Error) {
    super(statement === undefined ? cause.message : `${cause.message}; statement: ${statement}`, { cause });
    this.sqlState = codeOf(cause);
  }
}

/** Whether a thrown error says that a row with this key exists; `index` names the constraint or unique index. */
export function isUniqueViolation(error: unknown, index?: string): boolean {
  const cause = rootOf(error);
  if (codeOf(cause) !== '23505') return false;
  return index === undefined || (cause as { constraint?: unknown }).constraint === index;
}

/** What a failed transaction throws: a Problem for the world's failures, else a {@link QueryFailure} or what it was. */
export function asDatabaseError(error: unknown): unknown {
  const cause = rootOf(error);
  const code = codeOf(cause) ?? '';
  if (isDiskFull(cause, code)) {
    return new Problem('disk-full', 'The database has no space left for this change.', { cause });
  }
  if (code === '40001' || code === '40P01') {
    return new Problem('unavailable', 'The change met another one and was undone; nothing of it was kept.', {
      retryAfterSeconds: 1,
      cause,
    });
  }
  if (isUnreachable(cause, code)) return unreachable(cause);
  const statement = error instanceof DrizzleQueryError ? error.query : undefined;
  const isRefusal = cause instanceof Error && /^[0-9A-Z]{5}$/.test(code) && 'severity' in cause;
  return isRefusal ? new QueryFailure(statement, cause) : cause;
}

/** The problem of a database that does not answer. */
export function unreachable(cause: unknown): Problem {
  return new Problem('unavailable', 'The database does not answer.', { retryAfterSeconds: 5, cause });
}

function rootOf(error: unknown): unknown {
  return (error instanceof DrizzleQueryError || error instanceof QueryFailure) && error.cause
    ? error.cause
    : error;
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

function isDiskFull(cause: unknown, code: string): boolean {
  return ['53100', 'ENOSPC', 'EDQUOT'].includes(code) || messageOf(cause).includes('No space left on device');
}

// SQLSTATE class 08 is "connection exception", 57P0x a server that stops or starts, 53300 one without free slots,
// 57014 and 25P03 our own time limits; the rest is Node's and pg's way to say that the socket is gone.
const unreachableCodes = new Set(
  'ECONNREFUSED ECONNRESET EPIPE ETIMEDOUT EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN ENOENT 57P01 57P02 57P03 57P05 53300 57014 25P03 25P04'.split(
    ' ',
  ),
);
const unreachableMessage =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|timeout expired|Cannot use a pool after calling end|The embedded database)/;

function isUnreachable(cause: unknown, code: string): boolean {
  return code.startsWith('08') || unreachableCodes.has(code) || unreachableMessage.test(messageOf(cause));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : '';
}
