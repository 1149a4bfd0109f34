// Takes a release one look further: what was seen since, whether it is worse, and whether the next step is due. Any server
// may do it, several may do it at once, and one may be killed in the middle: all slow work comes first, and what follows
// from it is written in one transaction, unless the release was changed meanwhile. Baking time is added up from look to
// look, each counting a minute at most: clocks that jump, and hours in which no server ran, bake nothing.
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs, toIso } from '../../base/time.ts';
import { createContext } from '../../platform/context-factory.ts';
import type { Context, Services } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { getEndpoint } from '../deploy/deploy.ts';
import {
  endHold,
  makeRevision,
  prepareRevision,
  requestCounts,
  type CountedDeployment,
  type Prepared,
} from '../deploy/revisions.ts';
import { getUsableModelVersion, openModelVersion, type ModelVersion } from '../registry/registry.ts';
import { compare, periodsForLog, slowFrom, type Period } from './comparison.ts';
import { waitsFor, type Ahead } from './gate.ts';
import { readLoggedFigures } from './logged-figures.ts';
import { deploymentsOfStep } from './plan.ts';
import {
  addLine,
  findRelease,
  takeDueReleases,
  updateRelease,
  type LineKind,
  type ReleaseChange,
  type ReleaseRow,
} from './rows.ts';
import { isRunning, type ReleaseState } from './states.ts';

/** While a release runs somebody looks at it so often. */
const lookEveryMs = 5 * secondMs;
/** After a step, so that one that bakes for no time is over soon. */
const firstLookMs = secondMs;
/** A look counts for so long at most. */
const longestLookMs = minuteMs;
/** The log is read, and the model file opened, so often. */
const logEveryMs = minuteMs;
/** A look that was not finished by then is another server's. */
const leaseMs = 2 * minuteMs;
const takenAtOnce = 20;

/** What a look decides. */
export type Decision =
  | { kind: 'stay'; state: 'waiting' | 'baking' | 'paused'; waitingFor: string[] }
  | { kind: 'pause'; reason: string }
  | { kind: 'step'; stepIndex: number; prepared: Prepared }
  | { kind: 'finish'; prepared: Prepared; note: string }
  | { kind: 'roll-back'; prepared: Prepared | null; reason: string }
  | { kind: 'end'; reason: string };

/** Looks at all releases that are due, in all workspaces; safe when several servers do it. */
export async function advanceDueReleases(services: Services, signal: AbortSignal): Promise<void> {
  const nowMs = services.clock.nowMs();
  const due = await services.database.asSystem('take due releases', (transaction) =>
    takeDueReleases(transaction, {
      now: new Date(nowMs),
      until: new Date(nowMs + leaseMs),
      limit: takenAtOnce,
    }),
  );
  for (const { id, workspaceId } of due) {
    if (signal.aborted) return;
    const context = createContext(services, {
      actor: { kind: 'system', id: 'system' },
      workspaceId,
      projectId: null,
      requestId: services.newId('request'),
      signal,
    });
    try {
      await advanceRelease(context, id);
    } catch (error) {
      // It is due again when the lease ends; the others are not kept waiting.
      services.log.warn({ error, releaseId: id }, 'a release could not be looked at; it is tried again');
    }
  }
}

/** Looks at a release and does what follows; nothing when it has ended, or when somebody else was faster. */
export async function advanceRelease(context: Context, releaseId: string): Promise<void> {
  const row = await context.transaction((transaction) => findRelease(transaction, releaseId));
  if (!row || !isRunning(row.state)) return;
  const { decision, seen } = await decide(context, row);
  await context.transaction(async (transaction) => {
    const current = await findRelease(transaction, releaseId, { lock: true });
    if (current?.changeCount !== row.changeCount) return;
    await carryOut(context, transaction, { row: { ...current, ...seen }, decision, seen });
  });
}

async function decide(
  context: Context,
  row: ReleaseRow,
): Promise<{ decision: Decision; seen: ReleaseChange }> {
  const nowMs = context.clock.nowMs();
  const seen: ReleaseChange = { lookedAt: new Date(nowMs) };
  if (!(await isThere(context, row.endpointId)))
    return { decision: { kind: 'end', reason: 'The endpoint was deleted.' }, seen };
  const isThorough =
    row.stepIndex === null || row.loggedAt === null || Math.abs(nowMs - row.loggedAt.getTime()) >= logEveryMs;
  const version = await usableVersion(context, row, isThorough);
  if (typeof version === 'string') return { decision: await rollBack(context, row, version), seen };
  if (row.stepIndex === null) return { decision: await goOn(context, row), seen };
  if (row.state === 'baking') {
    const sinceMs = row.lookedAt === null ? 0 : nowMs - row.lookedAt.getTime();
    seen.bakedMs = row.bakedMs + Math.min(longestLookMs, Math.max(0, sinceMs));
  }
  const { isWorse, stepRequestCount } = await look(context, row, { version, isThorough, seen });
  if (isWorse !== null) return { decision: await alarm(context, row, isWorse), seen };
  if (row.state === 'paused') return { decision: { kind: 'stay', state: 'paused', waitingFor: [] }, seen };
  const { bakingMinutes } = row.steps[row.stepIndex]!;
  if (!isBaked({ ...row, ...seen }) || bakingMinutes === null || stepRequestCount < row.guard.leastRequests)
    return { decision: { kind: 'stay', state: 'baking', waitingFor: [] }, seen };
  // The log and the file were not looked at: they are before anything more is given to the candidate.
  if (!isThorough) return await decide(context, { ...row, ...seen, loggedAt: null });
  return { decision: await goOn(context, { ...row, ...seen }), seen };
}

/** Whether the step was watched for long enough. */
function isBaked({ state, stepIndex, steps, bakedMs }: ReleaseRow): boolean {
  const bakingMinutes = stepIndex === null ? null : steps[stepIndex]!.bakingMinutes;
  return state !== 'paused' && bakingMinutes !== null && bakedMs >= bakingMinutes * minuteMs;
}

/** The next step, all of the traffic after the last one, or what has to come first. */
async function goOn(context: Context, row: ReleaseRow): Promise<Decision> {
  const next = row.stepIndex === null ? 0 : row.stepIndex + 1;
  const step = row.steps[next];
  const ahead: Ahead =
    !step || (step.role === 'live' && step.trafficShare === 1)
      ? 'all-traffic'
      : next === 0
        ? 'first-step'
        : 'next-step';
  if (row.state === 'paused') return { kind: 'stay', state: 'paused', waitingFor: [] };
  const waitingFor = await waitsFor(context, row, ahead);
  if (waitingFor.length > 0) return { kind: 'stay', state: 'waiting', waitingFor };
  if (!step) return await finish(context, row, 'It was as good as the former version in every step.');
  const wanted = deploymentsOfStep(row.modelVersionId, row.former, step);
  return {
    kind: 'step',
    stepIndex: next,
    prepared: await prepareRevision(context, row.projectId, wanted),
  };
}

/** All of the traffic. */
export async function finish(context: Context, row: ReleaseRow, note: string): Promise<Decision> {
  const wanted = [{ modelVersionId: row.modelVersionId, trafficShare: 1 }];
  return { kind: 'finish', note, prepared: await prepareRevision(context, row.projectId, wanted) };
}

/** The former versions again; where they cannot be used any more the release pauses. */
export async function rollBack(context: Context, row: ReleaseRow, reason: string): Promise<Decision> {
  if (row.lastRevision === null) return { kind: 'roll-back', prepared: null, reason };
  try {
    return { kind: 'roll-back', prepared: await prepareRevision(context, row.projectId, row.former), reason };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { kind: 'pause', reason: `${reason} It cannot be rolled back: ${error.message}` };
  }
}

async function alarm(context: Context, row: ReleaseRow, isWorse: string): Promise<Decision> {
  if (row.guard.onAlarm === 'roll-back') return await rollBack(context, row, isWorse);
  if (row.state === 'paused') return { kind: 'stay', state: 'paused', waitingFor: [] };
  return { kind: 'pause', reason: isWorse };
}

async function isThere(context: Context, endpointId: string): Promise<boolean> {
  try {
    await getEndpoint(context, endpointId);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return false;
    throw error;
  }
}

/** Failures that pass by themselves: the release is looked at again later. */
const passing = new Set(['unavailable', 'disk-full', 'cancelled', 'memory-limit', 'time-limit']);

/** The candidate, or why it cannot be used. */
async function usableVersion(
  context: Context,
  { modelVersionId }: ReleaseRow,
  isThorough: boolean,
): Promise<ModelVersion | string> {
  try {
    const version = await getUsableModelVersion(context, modelVersionId);
    if (isThorough) await openModelVersion(context, modelVersionId);
    return version;
  } catch (error) {
    if (error instanceof Problem && passing.has(error.code)) throw error;
    if (error instanceof Problem && error.code === 'not-found')
      return 'The model version is no longer there.';
    const why = error instanceof Problem ? error.message : 'Its file cannot be read.';
    return `The model version cannot be opened. ${why}`;
  }
}

/** Compares the candidate with the current version; puts what it saw into `seen`. */
async function look(
  context: Context,
  row: ReleaseRow,
  { version, isThorough, seen }: { version: ModelVersion; isThorough: boolean; seen: ReleaseChange },
): Promise<{ isWorse: string | null; stepRequestCount: number }> {
  const revisions = [row.formerRevision, ...row.stepRevisions];
  const counted = await context.transaction((transaction) =>
    requestCounts(transaction, row.endpointId, revisions),
  );
  const before = counted.filter(({ revision }) => revision === row.formerRevision);
  const periods = row.stepRevisions.map((revision, index) =>
    periodOf(
      row,
      index,
      counted.filter((each) => each.revision === revision),
    ),
  );
  let { logged } = row;
  if (isThorough && (row.guard.quality !== null || row.guard.answers !== null)) {
    logged = await readLoggedFigures(context, row, {
      periods: periodsForLog({ before, periods }),
      isClassification: version.classes !== null,
    });
    seen.logged = logged;
  }
  if (isThorough) seen.loggedAt = seen.lookedAt ?? null;
  const slowerThanMs = row.slowerThanMs ?? slowFrom(row.guard, before);
  seen.slowerThanMs = slowerThanMs;
  const observed = { before, periods, slowerThanMs, logged, task: version.task };
  const { comparison, isWorse } = compare(observed, row.guard, toIso(context.clock.nowMs()));
  seen.comparison = comparison;
  const inStep = periods.at(-1)?.candidate ?? [];
  const stepRequestCount = inStep.reduce((total, { requestCount }) => total + requestCount, 0);
  seen.stepRequestCount = stepRequestCount;
  return { isWorse, stepRequestCount };
}

function periodOf({ modelVersionId, steps }: ReleaseRow, index: number, rows: CountedDeployment[]): Period {
  const { role, trafficShare } = steps[index]!;
  const isCandidate = ({ modelVersionId: id }: CountedDeployment): boolean => id === modelVersionId;
  return {
    role,
    trafficShare,
    candidate: rows.filter(isCandidate),
    current: rows.filter((row) => !isCandidate(row)),
  };
}

/** Writes what was decided; in a transaction that holds the release. */
export async function carryOut(
  context: Context,
  transaction: Transaction,
  { row, decision, seen = {} }: { row: ReleaseRow; decision: Decision; seen?: ReleaseChange },
): Promise<ReleaseRow> {
  const nowMs = context.clock.nowMs();
  const change: ReleaseChange = { ...seen, waitingFor: [], dueAt: new Date(nowMs + lookEveryMs) };
  const tell = (kind: LineKind, note: string, stepIndex = row.stepIndex): Promise<void> =>
    addReleaseLine(context, transaction, { row, kind, note, stepIndex });
  switch (decision.kind) {
    case 'stay':
      Object.assign(change, { state: decision.state, waitingFor: decision.waitingFor });
      if (decision.state === 'waiting' && row.waitingFor.join() !== decision.waitingFor.join())
        await tell('waiting', decision.waitingFor.join(' '));
      break;
    case 'pause':
      Object.assign(change, { state: 'paused', reason: decision.reason });
      if (row.state !== 'paused' || row.reason !== decision.reason) await tell('paused', decision.reason);
      break;
    case 'step': {
      const { stepIndex, prepared } = decision;
      const revision = await makeRevision(context, transaction, {
        endpointId: row.endpointId,
        prepared,
        asRelease: row.id,
      });
      Object.assign(change, {
        state: 'baking',
        stepIndex,
        stepRevisions: [...row.stepRevisions, revision],
        lastRevision: revision,
        bakedMs: 0,
        stepRequestCount: 0,
        dueAt: new Date(nowMs + firstLookMs),
        reason: null,
      });
      await tell('step', '', stepIndex);
      await publishRelease(context, transaction, { row, name: 'release-step', data: { stepIndex } });
      break;
    }
    case 'finish':
      change.lastRevision = await makeRevision(context, transaction, {
        endpointId: row.endpointId,
        prepared: decision.prepared,
        asRelease: row.id,
      });
      await endHold(transaction, row.endpointId);
      endAs(change, { state: 'finished', reason: decision.note, nowMs });
      await tell('finished', decision.note);
      await publishRelease(context, transaction, { row, name: 'release-finished', data: {} });
      break;
    case 'roll-back':
      if (decision.prepared)
        change.lastRevision = await makeRevision(context, transaction, {
          endpointId: row.endpointId,
          prepared: decision.prepared,
          asRelease: row.id,
        });
      if (isRunning(row.state)) await endHold(transaction, row.endpointId);
      endAs(change, { state: 'rolled-back', reason: decision.reason, nowMs });
      await tell('rolled-back', decision.reason);
      await publishRelease(context, transaction, {
        row,
        name: 'release-rolled-back',
        data: { reason: decision.reason },
      });
      break;
    case 'end':
      endAs(change, { state: 'ended', reason: decision.reason, nowMs });
      await tell('ended', decision.reason);
      break;
    default:
      decision satisfies never;
  }
  return await updateRelease(transaction, row.id, change);
}

function endAs(
  change: ReleaseChange,
  { state, reason, nowMs }: { state: ReleaseState; reason: string; nowMs: number },
): void {
  Object.assign(change, { state, reason, endedAt: new Date(nowMs), dueAt: null });
}

/** Adds to the history of a release. */
export async function addReleaseLine(
  context: Context,
  transaction: Transaction,
  { row, kind, note, stepIndex }: { row: ReleaseRow; kind: LineKind; note: string; stepIndex: number | null },
): Promise<void> {
  await addLine(transaction, {
    id: context.newId('releaseLine'),
    workspaceId: row.workspaceId,
    projectId: row.projectId,
    releaseId: row.id,
    kind,
    stepIndex,
    by: context.actor.id,
    note,
    createdAt: new Date(context.clock.nowMs()),
  });
}

/** Tells later stages. */
export async function publishRelease(
  context: Context,
  transaction: Transaction,
  { row, name, data }: { row: ReleaseRow; name: string; data: Record<string, string | number> },
): Promise<void> {
  const { id: releaseId, endpointId, modelVersionId, projectId } = row;
  await context.publish(transaction, {
    name,
    projectId,
    data: { releaseId, endpointId, modelVersionId, ...data },
  });
}
