// Releases: a model version is brought to an endpoint step by step, watched, and taken back when it is worse. This file is
// what other folders see. What happens by itself is advance.ts; what people decide is here.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { toIso } from '../../base/time.ts';
import { newRelease, type release, type releaseWithHistory } from '../../contract/release.ts';
import type { Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { getEndpoint, type Endpoint } from '../deploy/deploy.ts';
import { holdForRelease, lockedRevision, prepareRevision } from '../deploy/revisions.ts';
import { openModelVersion } from '../registry/registry.ts';
import {
  addReleaseLine,
  advanceRelease,
  carryOut,
  finish,
  publishRelease,
  rollBack,
  type Decision,
} from './advance.ts';
import { waitsFor } from './gate.ts';
import { deploymentsOfStep, stepsOf } from './plan.ts';
import {
  addRelease,
  findRelease,
  linesOf,
  listReleaseRows,
  runningReleases,
  updateRelease,
  type LineKind,
  type LineRow,
  type ReleaseRow,
} from './rows.ts';
import { isRunning } from './states.ts';

export type Release = z.output<typeof release>;
export type ReleaseWithHistory = z.output<typeof releaseWithHistory>;
/** What a release starts from; what is left out is as the contract says. */
export type NewRelease = z.input<typeof newRelease> & { endpointId: string };

/**
 * Starts a release; its first step is made at once unless it has to wait for something.
 * Throws `not-found`, `endpoint-not-ready`, `invalid-request`, `signing-key-withdrawn`, what opening a model throws, and
 * `wrong-state` while another release of the endpoint runs.
 * @param onStart runs in the transaction that starts it; what it throws keeps it from starting
 */
export async function startRelease(
  context: Context,
  input: NewRelease,
  onStart?: (transaction: Transaction, releaseId: string) => Promise<void>,
): Promise<Release> {
  const { endpointId, ...given } = input;
  const { modelVersionId, strategy, guard, approvals, note } = newRelease.parse(given);
  const endpoint = await getEndpoint(context, endpointId);
  const former = formerOf(endpoint);
  const steps = stepsOf(strategy);
  const first = steps[0]!;
  const isAmong = former.some((each) => each.modelVersionId === modelVersionId);
  if (isAmong && (former.length === 1 || first.role === 'shadow'))
    throw invalidVersion('The version answers at this endpoint already.');
  const wanted = deploymentsOfStep(modelVersionId, former, first);
  const prepared = await prepareRevision(context, endpoint.projectId, wanted);
  const { version } = prepared.find((each) => each.version.id === modelVersionId)!;
  await openModelVersion(context, modelVersionId);
  const id = context.newId('release');
  await context.transaction(async (transaction) => {
    const { revision } = await holdForRelease(transaction, endpointId, id);
    await onStart?.(transaction, id);
    const row = await addRelease(transaction, {
      id,
      workspaceId: context.workspaceId,
      projectId: endpoint.projectId,
      endpointId,
      modelVersionId,
      modelName: version.modelName,
      versionNumber: version.number,
      former,
      strategy,
      guard,
      approvals,
      note,
      steps,
      state: 'waiting',
      formerRevision: revision,
      stepRevisions: [],
      bakedMs: 0,
      stepRequestCount: 0,
      dueAt: new Date(context.clock.nowMs()),
      waitingFor: [],
      changeCount: 0,
      startedBy: context.actor.id,
      createdAt: new Date(context.clock.nowMs()),
    });
    await tell(context, transaction, row, { kind: 'started', note });
    await publishRelease(context, transaction, {
      row,
      name: 'release-started',
      data: { strategy: strategy.kind },
    });
  });
  return await lookedAt(context, id);
}

/** The releases of an endpoint, newest first. Throws `not-found`. */
export async function listReleases(
  context: Context,
  { endpointId, limit, cursor }: { endpointId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: Release[]; nextCursor: string | null }> {
  await getEndpoint(context, endpointId);
  return await context.transaction(async (transaction) => {
    const rows = await listReleaseRows(transaction, endpointId, { limit, after: readCursor(cursor) });
    const approvals = await linesOf(
      transaction,
      rows.map(({ id }) => id),
      'approved',
    );
    const byRelease = Map.groupBy(approvals, ({ releaseId }) => releaseId);
    return pageOf(
      rows,
      limit,
      ({ id }) => id,
      (row) => showRelease(row, byRelease.get(row.id) ?? []),
    );
  });
}

/** One release with its history. Throws `not-found`. */
export async function getRelease(context: Context, releaseId: string): Promise<ReleaseWithHistory> {
  return await context.transaction(async (transaction) => {
    const row = await requireRelease(transaction, releaseId);
    const lines = await linesOf(transaction, [releaseId]);
    return {
      ...showRelease(
        row,
        lines.filter(({ kind }) => kind === 'approved'),
      ),
      history: lines.map(({ kind, stepIndex, by, note, createdAt }) => ({
        kind,
        stepIndex,
        by,
        note,
        at: toIso(createdAt.getTime()),
      })),
    };
  });
}

/** Approves a release. Throws `not-found`, `wrong-state`, and `not-allowed` for whoever may not approve this one. */
export async function approveRelease(
  context: Context,
  releaseId: string,
  { note }: { note: string },
): Promise<ReleaseWithHistory> {
  await change(context, releaseId, async (transaction, row) => {
    requireRunning(row);
    if (row.approvals.count === 0) throw new Problem('wrong-state', 'Nobody has to approve this release.');
    const by = context.actor.id;
    if (row.approvals.notByStarter && by === row.startedBy)
      throw new Problem('not-allowed', 'You started this release: somebody else has to approve it.');
    const earlier = await linesOf(transaction, [releaseId], 'approved');
    if (earlier.some((line) => line.by === by))
      throw new Problem('wrong-state', 'You approved this release already.');
    await tell(context, transaction, row, { kind: 'approved', note });
    await updateRelease(transaction, releaseId, {});
    await context.audit(transaction, {
      action: 'release:approve',
      subjectId: releaseId,
      details: { endpointId: row.endpointId, note },
    });
  });
  await advanceRelease(context, releaseId);
  return await getRelease(context, releaseId);
}

/** Keeps a release where it is. Throws `not-found`, `wrong-state`. */
export async function pauseRelease(
  context: Context,
  releaseId: string,
  { reason }: { reason: string },
): Promise<ReleaseWithHistory> {
  await change(context, releaseId, async (transaction, row) => {
    requireRunning(row);
    if (row.state === 'paused') throw new Problem('wrong-state', 'The release is paused already.');
    await updateRelease(transaction, releaseId, { state: 'paused', reason: reason || null, waitingFor: [] });
    await record(context, transaction, row, { kind: 'paused', note: reason });
  });
  return await getRelease(context, releaseId);
}

/** Lets a paused release go on. Throws `not-found`, `wrong-state`. */
export async function resumeRelease(
  context: Context,
  releaseId: string,
  { reason }: { reason: string },
): Promise<ReleaseWithHistory> {
  await change(context, releaseId, async (transaction, row) => {
    if (row.state !== 'paused') throw new Problem('wrong-state', `The release is ${row.state}, not paused.`);
    const state = row.stepIndex === null ? 'waiting' : 'baking';
    const lookedAtNow = new Date(context.clock.nowMs());
    await updateRelease(transaction, releaseId, { state, reason: null, lookedAt: lookedAtNow });
    await record(context, transaction, row, { kind: 'resumed', note: reason });
  });
  await advanceRelease(context, releaseId);
  return await getRelease(context, releaseId);
}

/** Gives the version all of the traffic now. Throws `not-found`; `wrong-state` with what it waits for, or when it has ended. */
export async function promoteRelease(
  context: Context,
  releaseId: string,
  { reason }: { reason: string },
): Promise<ReleaseWithHistory> {
  const row = await context.transaction((transaction) => requireRelease(transaction, releaseId));
  requireRunning(row);
  const waitingFor = await waitsFor(context, row, 'all-traffic');
  if (waitingFor.length > 0)
    throw new Problem('wrong-state', `The release waits for: ${waitingFor.join(' ')}`);
  await openModelVersion(context, row.modelVersionId);
  const decision = await finish(context, row, reason || 'It was given all of the traffic by hand.');
  await decideByHand(context, row, { decision, kind: 'promoted', note: reason });
  return await getRelease(context, releaseId);
}

/**
 * Lets the former versions answer again; of a release that finished, as long as nothing else was deployed. Throws
 * `not-found`, `wrong-state`, and `signing-key-withdrawn` when they no longer may.
 */
export async function rollBackRelease(
  context: Context,
  releaseId: string,
  { reason }: { reason: string },
): Promise<ReleaseWithHistory> {
  const row = await context.transaction((transaction) => requireRelease(transaction, releaseId));
  if (!isRunning(row.state) && row.state !== 'finished')
    throw new Problem('wrong-state', `The release is ${row.state}: there is nothing to take back.`);
  const decision = await rollBack(context, row, reason || 'It was rolled back by hand.');
  if (decision.kind === 'pause') throw new Problem('wrong-state', decision.reason);
  await decideByHand(context, row, { decision, kind: null, note: reason });
  return await getRelease(context, releaseId);
}

/** Ends what runs at an endpoint that is gone. */
export async function endReleasesOf(context: Context, endpointId: string): Promise<void> {
  const running = await context.transaction((transaction) => runningReleases(transaction, endpointId));
  for (const { id } of running) await advanceRelease(context, id);
}

/** Writes what somebody decided, unless the release moved on meanwhile: then it is looked at again. */
async function decideByHand(
  context: Context,
  known: ReleaseRow,
  { decision, kind, note }: { decision: Decision; kind: LineKind | null; note: string },
): Promise<void> {
  await change(context, known.id, async (transaction, row) => {
    // Looks change figures only; steps, pauses and ends change what was decided about.
    if (row.state !== known.state || row.lastRevision !== known.lastRevision)
      throw new Problem('wrong-state', `The release is ${row.state} by now. Look at it, and decide again.`);
    if (row.state === 'finished' && (await lockedRevision(transaction, row.endpointId)) !== row.lastRevision)
      throw new Problem(
        'wrong-state',
        'Something else was deployed since this release finished. Start a release of the former version instead.',
      );
    if (kind) await tell(context, transaction, row, { kind, note });
    await carryOut(context, transaction, { row, decision });
    await audit(context, transaction, row, { did: kind ?? decision.kind, note });
  });
}

async function change(
  context: Context,
  releaseId: string,
  work: (transaction: Transaction, row: ReleaseRow) => Promise<void>,
): Promise<void> {
  await context.transaction(async (transaction) => {
    await work(transaction, await requireRelease(transaction, releaseId, { lock: true }));
  });
}

/** The release after a look at it; one that fails is done again by whoever looks next. */
async function lookedAt(context: Context, releaseId: string): Promise<Release> {
  try {
    await advanceRelease(context, releaseId);
  } catch (error) {
    context.log.warn({ error, releaseId }, 'a release could not be looked at; it is tried again');
  }
  const { history: _history, ...shown } = await getRelease(context, releaseId);
  return shown;
}

async function record(
  context: Context,
  transaction: Transaction,
  row: ReleaseRow,
  { kind, note }: { kind: LineKind; note: string },
): Promise<void> {
  await tell(context, transaction, row, { kind, note });
  await audit(context, transaction, row, { did: kind, note });
}

async function tell(
  context: Context,
  transaction: Transaction,
  row: ReleaseRow,
  { kind, note }: { kind: LineKind; note: string },
): Promise<void> {
  await addReleaseLine(context, transaction, { row, kind, note, stepIndex: row.stepIndex });
  if (kind === 'started') await audit(context, transaction, row, { did: kind, note });
}

async function audit(
  context: Context,
  transaction: Transaction,
  { id, endpointId, modelVersionId }: ReleaseRow,
  { did, note }: { did: string; note: string },
): Promise<void> {
  await context.audit(transaction, {
    action: 'release:write',
    subjectId: id,
    details: { did, endpointId, modelVersionId, note },
  });
}

async function requireRelease(
  transaction: Transaction,
  releaseId: string,
  options: { lock?: boolean } = {},
): Promise<ReleaseRow> {
  const row = await findRelease(transaction, releaseId, options);
  if (!row) throw new Problem('not-found', `There is no release ${releaseId}.`);
  return row;
}

function requireRunning({ state }: ReleaseRow): void {
  if (!isRunning(state)) throw new Problem('wrong-state', `The release is ${state}: nothing more happens.`);
}

function formerOf({ name, deployments }: Endpoint): Release['former'] {
  const live = deployments.filter(({ role, trafficShare }) => role === 'live' && trafficShare > 0);
  if (live.length === 0) throw new Problem('endpoint-not-ready', `No model version answers for "${name}".`);
  return live.map(({ modelVersionId, modelName, versionNumber, trafficShare }) => ({
    modelVersionId,
    modelName,
    versionNumber,
    trafficShare,
  }));
}

function invalidVersion(message: string): Problem {
  return new Problem('invalid-request', message, {
    errors: [{ field: 'body.modelVersionId', message: 'answers already' }],
  });
}

function showRelease(row: ReleaseRow, approvedBy: readonly LineRow[]): Release {
  const { id, projectId, endpointId, modelVersionId, modelName, versionNumber, former, strategy } = row;
  const { guard, approvals, note, state, steps, stepIndex, stepRequestCount, waitingFor } = row;
  const { comparison, reason, startedBy, createdAt, endedAt, bakedMs } = row;
  return {
    id,
    projectId,
    endpointId,
    candidate: { modelVersionId, modelName, versionNumber },
    former,
    strategy,
    guard,
    approvals,
    note,
    state,
    steps,
    stepIndex,
    bakedMinutes: bakedMs / 60_000,
    stepRequestCount,
    waitingFor,
    approvedBy: approvedBy.map((line) => ({
      by: line.by,
      note: line.note,
      at: toIso(line.createdAt.getTime()),
    })),
    comparison,
    reason,
    startedBy,
    createdAt: toIso(createdAt.getTime()),
    endedAt: endedAt ? toIso(endedAt.getTime()) : null,
  };
}
