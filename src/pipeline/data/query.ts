// Runs SQL that somebody wrote over tables that somebody else says: the datasets of a project, or the log of an endpoint.
import type { z } from 'zod';
import { minuteMs, secondMs } from '../../base/time.ts';
import type { queryResult } from '../../contract/dataset.ts';
import { payerOf, type Context } from '../../platform/context.ts';
import type { QueryTable, QueryTaskInput } from './query-task.ts';

export type QueryResult = z.output<typeof queryResult>;

const taskLimits = { memoryBytes: 1_073_741_824, timeoutMs: minuteMs };

/**
 * Runs one SELECT over `tables`. The longest it may take is reserved, what it took is charged to the project.
 * Throws `query-invalid`, `query-forbidden`, `query-limit` or `budget-exceeded`.
 */
export async function queryTables(
  context: Context,
  { projectId, tables, ...input }: { projectId: string; tables: QueryTable[]; sql: string; maxRows: number },
): Promise<QueryResult> {
  const { maxQuerySeconds, maxQueryRows } = context.limits;
  const startMs = context.clock.monotonicMs();
  const { reservationId } = await context.transaction((transaction) =>
    context.meter.reserve(transaction, {
      payer: payerOf(context, projectId),
      usage: [{ unit: 'query-second', quantity: maxQuerySeconds }],
      purpose: { kind: 'query', subjectId: context.requestId },
      expiresAtMs: context.clock.nowMs() + (maxQuerySeconds + 60) * secondMs,
    }),
  );
  try {
    return await context.jobs.runTask<QueryTaskInput, QueryResult>(
      new URL('./query-task.ts', import.meta.url),
      {
        tables,
        sql: input.sql,
        maxRows: Math.min(input.maxRows, maxQueryRows),
        maxSeconds: maxQuerySeconds,
        memoryBytes: taskLimits.memoryBytes,
      },
      { limits: { ...taskLimits, timeoutMs: (maxQuerySeconds + 15) * secondMs }, signal: context.signal },
    );
  } finally {
    const seconds = Math.min(maxQuerySeconds, Math.ceil((context.clock.monotonicMs() - startMs) / secondMs));
    await context.transaction((transaction) =>
      context.meter.settle(transaction, reservationId, [{ unit: 'query-second', quantity: seconds }]),
    );
  }
}
