// What every operation receives first: who asks, on whose behalf, and the outside world as ports.
// An operation takes nothing from anywhere else: no globals, no environment, no clock of its own.
import type { JsonObject } from '../base/json.ts';
import type { NewId } from '../base/ids.ts';
import type { Clock } from '../base/time.ts';
import type { Blobs } from './ports/blobs.ts';
import type { Database, Transaction } from './ports/database.ts';
import type { Egress } from './ports/egress.ts';
import type { Jobs } from './ports/jobs.ts';
import type { Log } from './ports/log.ts';
import type { Mail } from './ports/mail.ts';
import type { Meter, Payer } from './ports/meter.ts';
import type { Laps } from './telemetry/laps.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { ModelServers } from './ports/model-servers.ts';
import type { RenewableSigner } from './security/signing/key-file.ts';

/** Who asks. `system` is Pilvi itself: jobs, reactions to events, reapers. */
export type Actor =
  | { kind: 'user'; id: string; sessionId: string }
  | { kind: 'key'; id: string; role: Role; projectId: string | null }
  | { kind: 'system'; id: 'system' };

export type Role = 'owner' | 'editor' | 'predictor' | 'viewer';

/** The outside world, the same for every request of a server. */
export interface Services {
  database: Database;
  blobs: Blobs;
  jobs: Jobs;
  /** Models that answer in processes of their own. */
  modelServers: ModelServers;
  meter: Meter;
  egress: Egress;
  mail: Mail;
  /** Vouches for the model files that this server makes. */
  signer: RenewableSigner;
  log: Log;
  metrics: Metrics;
  clock: Clock;
  newId: NewId;
  limits: Limits;
}

/** Bounds that operators may change (configuration) and everyone may read (`GET /api/v1/server`). */
export interface Limits {
  maxUploadBytes: number;
  maxColumns: number;
  maxFieldBytes: number;
  /** How far compressed input may grow: its unpacked size over its packed size. */
  maxDecompressionRatio: number;
  /** Rows of one prediction request. */
  maxPredictionRows: number;
  maxQuerySeconds: number;
  maxQueryRows: number;
  taskMemoryBytes: number;
  /** Local folders that imports by path may read; empty: none. */
  importFolders: readonly string[];
}

/** One request, job or reaction at work in one workspace. */
export interface Context extends Services {
  actor: Actor;
  workspaceId: string;
  requestId: string;
  /** Aborted when the caller has gone or the server is stopping. */
  signal: AbortSignal;
  /** Where the time of this request goes. */
  laps: Laps;
  /** One transaction that sees only this workspace (see ports/database.ts). */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Publishes an event with the transaction: it is delivered if and only if that commits. */
  publish(transaction: Transaction, event: DomainEvent): Promise<void>;
  /** Adds a line to the audit log with the transaction. */
  audit(transaction: Transaction, entry: AuditEntry): Promise<void>;
}

/** Something that happened, noun-verb, for later stages to react to. */
export interface DomainEvent {
  name: string;
  projectId: string | null;
  data: JsonObject;
}

/** What goes into the audit log: who comes from the context. */
export interface AuditEntry {
  /** The policy action, such as `key:create`. */
  action: string;
  subjectId: string;
  details?: JsonObject;
}

/** A later stage's reaction to an event; runs at least once for each event, so it must be repeatable. */
export interface Reaction {
  event: string;
  /** Names the reaction in the delivery record. */
  name: string;
  react(context: Context, event: DomainEvent & { eventId: string }): Promise<void>;
}

/** Who pays for what this context does in `projectId`. */
export function payerOf(context: Context, projectId: string | null): Payer {
  return {
    workspaceId: context.workspaceId,
    projectId,
    keyId: context.actor.kind === 'key' ? context.actor.id : null,
  };
}
