// The meter: money moves only as reserve, then settle or release, in one ledger. Spend never exceeds a hard cap.
//
// Guarantees (property tests: capabilities/billing/ledger.test.ts):
// - A reservation holds its whole amount against every cap that applies (workspace, project, key) or is refused with
//   `budget-exceeded` and holds nothing.
// - Settling charges at most what was reserved and frees the rest; settling or releasing twice changes nothing.
// - A reservation whose owner died is ended by the reaper: its recorded use is charged, the rest is freed.
// - A lease answers from memory, and never lets more be used than it has reserved beforehand.
import type { MicroUsd } from '../../base/money.ts';
import type { Transaction } from './database.ts';

/** What is metered; prices of each are data in capabilities/billing/prices.ts. */
export type UsageUnit =
  | 'training-second'
  | 'prediction'
  | 'batch-prediction'
  | 'replica-minute'
  | 'stored-gib-hour'
  | 'imported-gib'
  | 'query-second';

/** Who pays: the caps of all of these apply. */
export interface Payer {
  workspaceId: string;
  projectId: string | null;
  /** The API key that asked, if one did. */
  keyId: string | null;
}

/** Something used, in whole units of its kind. */
export interface Usage {
  unit: UsageUnit;
  quantity: number;
}

export interface ReservationRequest {
  payer: Payer;
  /** The most that can be used. */
  usage: Usage[];
  /**
   * What it is for: a training id, a lease of an endpoint. Reserving again for a purpose that is still held gives the
   * same reservation, renewed; only leases may hold several for one subject.
   */
  purpose: {
    kind: 'training' | 'import' | 'batch' | 'prediction-lease' | 'query' | 'storage';
    subjectId: string;
  };
  /** After this the reaper may end it, unless it was renewed. */
  expiresAtMs: number;
}

/** What a lease is for. */
export interface LeaseRequest {
  payer: Payer;
  unit: UsageUnit;
  /** What charges will name: the endpoint. */
  subjectId: string;
  /** How much to reserve ahead at once; grows by itself under load. */
  chunkQuantity: number;
}

/** Use that is paid from memory, for paths that must not wait for the database. */
export interface Lease {
  /** Uses `quantity` if that much is reserved, and has more reserved in the background when it runs low. */
  tryUse(quantity: number): boolean;
  /** Uses `quantity`, waiting for a reservation where needed; throws `budget-exceeded`. */
  use(quantity: number): Promise<void>;
}

/** The meter port. */
export interface Meter {
  /** The price of some usage, before anything is reserved. */
  quote(usage: Usage[]): MicroUsd;
  /** Holds the quoted amount; throws `budget-exceeded`. Returns the reservation's id. */
  reserve(
    transaction: Transaction,
    request: ReservationRequest,
  ): Promise<{ reservationId: string; amountMicroUsd: MicroUsd }>;
  /** Moves the expiry and records what was used so far; false when the reservation has ended. */
  renew(
    transaction: Transaction,
    reservationId: string,
    progress: { expiresAtMs: number; usedSoFar: Usage[] },
  ): Promise<boolean>;
  /** Charges what was used, at most the reserved amount, and frees the rest. Returns what was charged in the end. */
  settle(transaction: Transaction, reservationId: string, used: Usage[]): Promise<MicroUsd>;
  /** Frees all of it. */
  release(transaction: Transaction, reservationId: string): Promise<void>;
  /** The lease of this payer, unit and subject; asking again gives the same one. */
  lease(request: LeaseRequest): Lease;
}
