// What a release has to wait for before it goes on: a list of checks, each of which says in words what it waits for.
import type { Context } from '../../platform/context.ts';
import { checkGate } from '../compare/compare.ts';
import { linesOf, type LineRow, type ReleaseRow } from './rows.ts';

/** Where a release is about to go. */
export type Ahead = 'first-step' | 'next-step' | 'all-traffic';

type Check = (context: Context, row: ReleaseRow, ahead: Ahead) => Promise<string[]>;

/** In this order; all are asked, so that everything that is missing is told at once. */
const checks: readonly Check[] = [compared, approved];

/** What the release waits for before it may go there; empty: nothing. */
export async function waitsFor(context: Context, row: ReleaseRow, ahead: Ahead): Promise<string[]> {
  const found: string[] = [];
  for (const check of checks) found.push(...(await check(context, row, ahead)));
  return found;
}

/** The endpoint's rule about decisions that would change, if it has one (pipeline/compare). */
async function compared(context: Context, { endpointId, modelVersionId }: ReleaseRow): Promise<string[]> {
  const { passed, reasons } = await checkGate(context, { endpointId, modelVersionId });
  return passed ? [] : reasons;
}

async function approved(context: Context, row: ReleaseRow, ahead: Ahead): Promise<string[]> {
  const { count, before } = row.approvals;
  if (count === 0 || (before === 'all-traffic' && ahead !== 'all-traffic')) return [];
  const lines = await context.transaction((transaction) => linesOf(transaction, [row.id], 'approved'));
  const missing = count - approversOf(row, lines).size;
  if (missing <= 0) return [];
  const who = row.approvals.notByStarter ? ' by somebody who did not start it' : '';
  return [missing === 1 ? `An approval${who}.` : `${missing} approvals${who}.`];
}

/** Those whose approval counts. */
function approversOf({ approvals, startedBy }: ReleaseRow, lines: readonly LineRow[]): Set<string> {
  const approvers = new Set(lines.map(({ by }) => by));
  if (approvals.notByStarter) approvers.delete(startedBy);
  return approvers;
}
