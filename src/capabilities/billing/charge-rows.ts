// What was charged, for lists and charts. The tables are declared and written in rows.ts.
import { and, asc, desc, eq, gte, lt, sum } from 'drizzle-orm';
import type { MicroUsd } from '../../base/money.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import type { UsageUnit } from '../../platform/ports/meter.ts';
import { charges, usageDays } from './rows.ts';

export type ChargeRow = typeof charges.$inferSelect;

/** The newest first; one more than `limit` when there are more. */
export async function listChargeRows(
  transaction: Transaction,
  where: { workspaceId: string; projectId: string | undefined; limit: number; after: string | undefined },
): Promise<ChargeRow[]> {
  return await transaction
    .select()
    .from(charges)
    .where(
      and(
        eq(charges.workspaceId, where.workspaceId),
        where.projectId === undefined ? undefined : eq(charges.projectId, where.projectId),
        where.after === undefined ? undefined : lt(charges.id, where.after),
      ),
    )
    .orderBy(desc(charges.id))
    .limit(where.limit + 1);
}

/** What was charged since `firstDay`, by day and unit. */
export async function sumUsageDays(
  transaction: Transaction,
  workspaceId: string,
  firstDay: string,
): Promise<{ day: string; unit: UsageUnit; quantity: number; amountMicroUsd: MicroUsd }[]> {
  return await transaction
    .select({
      day: usageDays.day,
      unit: usageDays.unit,
      quantity: sum(usageDays.quantity).mapWith(Number),
      amountMicroUsd: sum(usageDays.amountMicroUsd).mapWith(Number),
    })
    .from(usageDays)
    .where(and(eq(usageDays.workspaceId, workspaceId), gte(usageDays.day, firstDay)))
    .groupBy(usageDays.day, usageDays.unit)
    .orderBy(asc(usageDays.day), asc(usageDays.unit));
}
