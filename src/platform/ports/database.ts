// The database: one Postgres dialect, embedded (PGlite) or a server (`DATABASE_URL`).
//
// Guarantees every driver keeps (conformance: database.conformance.ts):
// - `inWorkspace` runs as a role that is subject to row-level security: rows of other workspaces do not exist
//   for it, whatever the query says, and cannot be written.
// - `asSystem` sees everything; only sign-in, job and event machinery, reapers and audits use it, each with a reason.
// - Work that throws is rolled back whole. Transactions do not nest: starting one inside another is an assertion
//   failure, because the embedded database has one connection and would wait for itself.
// - A notification (`pg_notify`) arrives after its transaction has committed, in every server, and never when it was
//   rolled back. It is a hint that may be lost with a connection: whoever listens also polls.
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';

/** One open transaction; drizzle's query builder. Pass it down, never keep it. */
export type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0];

/** What a transaction may see: one workspace and, for a key that is bound to a project, that project only. */
export interface Scope {
  workspaceId: string;
  projectId: string | null;
}

/** What a text query answers; of several statements at once, all their rows and the count of the last. */
export interface TextQueryResult {
  rows: Record<string, unknown>[];
  rowCount: number;
}

/** The database port. */
export interface Database {
  readonly dialect: 'pglite' | 'postgres';
  /** Runs `work` in one transaction that can see and touch the rows of `scope` only. */
  inWorkspace<T>(scope: Scope, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Runs `work` in one transaction over all workspaces. `reason` appears in the database log of slow statements. */
  asSystem<T>(reason: string, work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /**
   * Runs SQL text with `$1` parameters, for libraries that bring their own SQL (the job queue); everything else uses
   * drizzle. `transaction` null: on its own, outside any transaction, over all workspaces.
   */
  textQuery(transaction: Transaction | null, text: string, values?: unknown[]): Promise<TextQueryResult>;
  /** Calls `wake` whenever someone notifies `channel` (a name in lower case, not data). Returns what ends it. */
  listen(channel: string, wake: (payload: string) => void): Promise<() => Promise<void>>;
  /** Resolves when the database answers; throws a Problem `unavailable` otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
