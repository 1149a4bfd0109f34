// Automatic updates: triggers, at most one update of an endpoint at a time, a rest in between. This file is what other
// folders see. What an update does is advance.ts; how a version takes over is promote.ts.
//
// Triggers do not start updates, they put themselves into the one place that a policy has for them. Who finds something
// there, no update running and the rest over, starts one: alarms that flap cost one update for each rest.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { hourMs, toIso } from '../../base/time.ts';
import type { update, updatePolicy } from '../../contract/update.ts';
import { engineVersion } from '../../ml/model/manifest.ts';
import { createContext } from '../../platform/context-factory.ts';
import type { Context, Services } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { getEndpoint } from '../deploy/deploy.ts';
import { getMonitor } from '../monitor/monitor.ts';
import { getModelVersion } from '../registry/registry.ts';
import { cancelTraining } from '../train/train.ts';
import { advanceUpdate, move } from './advance.ts';
import { isSame, takeBack } from './promote.ts';
import {
  activePolicies,
  addPolicy,
  addUpdate,
  changePolicy,
  dropEndpointUpdates,
  duePolicies,
  findPolicy,
  findUpdate,
  listUpdateRows,
  runningUpdate,
  runningUpdates,
  type PolicyRow,
  type Settings,
  type Trigger,
  type UpdateRow,
} from './rows.ts';
import { defaultSettings } from './settings.ts';
import { isRunning } from './states.ts';

export type UpdatePolicy = z.output<typeof updatePolicy>;
export type Update = z.output<typeof update>;

/** When an endpoint is updated by itself. Throws `not-found`. */
export async function getUpdatePolicy(context: Context, endpointId: string): Promise<UpdatePolicy> {
  await getEndpoint(context, endpointId);
  const row = await context.transaction((transaction) => findPolicy(transaction, endpointId));
  return showPolicy(endpointId, row);
}

/** Changes it; what is left out stays as it is. Throws `not-found`. */
export async function setUpdatePolicy(
  context: Context,
  endpointId: string,
  change: { [Name in keyof Settings]?: Settings[Name] | undefined },
): Promise<UpdatePolicy> {
  const { projectId } = await getEndpoint(context, endpointId);
  const nowMs = context.clock.nowMs();
  return await context.transaction(async (transaction) => {
    await addPolicy(transaction, newPolicy(context, { endpointId, projectId }));
    const row = (await findPolicy(transaction, endpointId, { lock: true }))!;
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
    const settings: Settings = { ...row.settings, ...given };
    const { isOn, everyHours } = settings;
    const isOnNow = isOn && !row.settings.isOn;
    const isRescheduled = isOnNow || everyHours !== row.settings.everyHours;
    const next = isOn && everyHours !== null ? new Date(nowMs + everyHours * hourMs) : null;
    await changePolicy(transaction, endpointId, {
      settings,
      nextAt: isRescheduled || !isOn ? next : row.nextAt,
      ...(isOnNow && { engineVersion }),
      ...(!isOn && { waiting: null }),
    });
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { updatePolicy: Object.keys(given) },
    });
    return showPolicy(endpointId, await findPolicy(transaction, endpointId));
  });
}

/** Starts an update whatever the policy says. Throws `not-found`, `endpoint-not-ready`, and `wrong-state` while one runs. */
export async function startUpdate(context: Context, endpointId: string): Promise<Update> {
  const at = toIso(context.clock.nowMs());
  const started = await begin(context, endpointId, { kind: 'person', words: 'Somebody asked for it.', at });
  if (!started)
    throw new Problem('wrong-state', 'An update of this endpoint runs already: wait for it, or cancel it.');
  await advanceUpdate(context, started.id);
  return await getUpdate(context, started.id);
}

/** The updates of an endpoint, newest first. Throws `not-found`. */
export async function listUpdates(
  context: Context,
  { endpointId, limit, cursor }: { endpointId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: Update[]; nextCursor: string | null }> {
  await getEndpoint(context, endpointId);
  const rows = await context.transaction((transaction) =>
    listUpdateRows(transaction, endpointId, { limit, after: readCursor(cursor) }),
  );
  return pageOf(rows, limit, ({ id }) => id, show);
}

/** One update. Throws `not-found`. */
export async function getUpdate(context: Context, updateId: string): Promise<Update> {
  return show(await context.transaction((transaction) => requireUpdate(transaction, updateId)));
}

/** Ends an update that runs. Throws `not-found`, and `wrong-state` when it has ended. */
export async function cancelUpdate(context: Context, updateId: string): Promise<Update> {
  const row = await context.transaction((transaction) => requireUpdate(transaction, updateId));
  const isEnded = await context.transaction(async (transaction) => {
    if (!isRunning(row.state)) return false;
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: row.endpointId,
      details: { cancelledUpdate: updateId },
    });
    return await move(context, transaction, row, { to: 'cancelled', words: 'Somebody ended it.' });
  });
  if (!isEnded)
    throw new Problem('wrong-state', `The update has moved on: it is ${row.state}. Look at it first.`);
  if (row.trainingId !== null && row.state === 'training') await cancelTraining(context, row.trainingId);
  if (row.state === 'releasing') await takeBack(context, row, 'The update that started it was ended.');
  return await getUpdate(context, updateId);
}

/** Puts the former versions back. Throws `not-found`, `wrong-state`, and what deploying throws. */
export async function takeBackUpdate(context: Context, updateId: string): Promise<Update> {
  const row = await context.transaction((transaction) => requireUpdate(transaction, updateId));
  if (row.state !== 'promoted')
    throw new Problem('wrong-state', `The update is ${row.state}: there is nothing to take back.`);
  const { deployments } = await getEndpoint(context, row.endpointId);
  if (!isSame(deployments, row.formerDeployments)) {
    if (!deployments.some(({ modelVersionId }) => modelVersionId === row.candidateVersionId))
      throw new Problem('wrong-state', 'Other versions answer by now: deploy the ones you want.');
    await takeBack(context, row, 'The update was taken back.');
  }
  await context.transaction(async (transaction) => {
    const words = `Somebody put version ${row.formerNumber} back.`;
    await move(context, transaction, row, { to: 'taken-back', words });
    // What made it start is not to start it again at once.
    await changePolicy(transaction, row.endpointId, { waiting: null });
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: row.endpointId,
      details: { tookBackUpdate: updateId },
    });
  });
  return await getUpdate(context, updateId);
}

/** A dataset has a new version: updates endpoints whose model learned from it and whose policy wants that. */
export async function noticeData(
  context: Context,
  { datasetId, number }: { datasetId: string; number: number },
): Promise<void> {
  const policies = await context.transaction(activePolicies);
  for (const { endpointId, settings } of policies.filter((policy) => policy.settings.onNewData)) {
    const learnedFrom = await dataOf(context, endpointId);
    if (settings.isOn && learnedFrom === datasetId)
      await trigger(context, endpointId, 'new-data', `Version ${number} of its dataset is there.`);
  }
}

/** An alert of monitoring is open: updates the endpoint if its policy wants that. */
export async function noticeAlerts(context: Context, endpointId: string): Promise<void> {
  const policy = await context.transaction((transaction) => findPolicy(transaction, endpointId));
  if (!policy?.settings.isOn || policy.settings.onAlerts.length === 0) return;
  const { openAlerts } = await getMonitor(context, endpointId);
  const alert = openAlerts.find(({ rule }) => policy.settings.onAlerts.includes(rule.measure));
  if (alert) await trigger(context, endpointId, 'alert', alert.message);
}

/** A training, or what a running update waits for, has ended. */
export async function noticeProgress(
  context: Context,
  about: { trainingId?: string; endpointId?: string },
): Promise<void> {
  const row = await context.transaction((transaction) => runningUpdate(transaction, about));
  if (row) await advanceUpdate(context, row.id);
}

/** Forgets all updates of an endpoint that is gone. */
export async function forgetUpdates(context: Context, endpointId: string): Promise<void> {
  const row = await context.transaction((transaction) => runningUpdate(transaction, { endpointId }));
  if (row?.trainingId && row.state === 'training') await cancelTraining(context, row.trainingId);
  await context.transaction((transaction) => dropEndpointUpdates(transaction, endpointId));
}

const lookedAtOnce = 100;

/** Starts what is due and goes on with what runs, in all workspaces; safe when several servers do it. */
export async function runUpdates(services: Services, signal: AbortSignal): Promise<void> {
  const now = new Date(services.clock.nowMs());
  const { due, running } = await services.database.asSystem(
    'find updates to go on with',
    async (transaction) => ({
      due: await duePolicies(transaction, { now, engineVersion, limit: lookedAtOnce }),
      running: await runningUpdates(transaction, lookedAtOnce),
    }),
  );
  const attempt = async (
    workspaceId: string,
    work: (context: Context) => Promise<unknown>,
  ): Promise<void> => {
    if (signal.aborted) return;
    const actor = { kind: 'system', id: 'system' } as const;
    const requestId = services.newId('request');
    try {
      await work(createContext(services, { actor, workspaceId, projectId: null, requestId, signal }));
    } catch (error) {
      // One endpoint must not keep the others from being updated.
      if (!signal.aborted) services.log.warn({ error, workspaceId }, 'an update could not go on');
    }
  };
  for (const { workspaceId, id } of running)
    await attempt(workspaceId, (context) => advanceUpdate(context, id));
  for (const policy of due) await attempt(policy.workspaceId, (context) => lookAtPolicy(context, policy));
}

async function lookAtPolicy(context: Context, policy: PolicyRow): Promise<void> {
  const { endpointId, settings, nextAt } = policy;
  const nowMs = context.clock.nowMs();
  if (policy.engineVersion !== engineVersion) {
    await context.transaction((transaction) => changePolicy(transaction, endpointId, { engineVersion }));
    if (settings.onNewEngine)
      return await trigger(context, endpointId, 'new-engine', `Engine ${engineVersion} is there.`);
  }
  if (nextAt && nextAt.getTime() <= nowMs && settings.everyHours !== null) {
    const next = new Date(nowMs + settings.everyHours * hourMs);
    await context.transaction((transaction) => changePolicy(transaction, endpointId, { nextAt: next }));
    return await trigger(context, endpointId, 'schedule', `Every ${settings.everyHours} hours.`);
  }
  await startWaiting(context, endpointId);
}

/** Puts a trigger into its place, unless there is one, and starts the update if that may be. */
async function trigger(
  context: Context,
  endpointId: string,
  kind: Trigger['kind'],
  words: string,
): Promise<void> {
  const at = toIso(context.clock.nowMs());
  await context.transaction(async (transaction) => {
    const policy = await findPolicy(transaction, endpointId, { lock: true });
    if (policy?.settings.isOn && !policy.waiting)
      await changePolicy(transaction, endpointId, { waiting: { kind, words, at } });
  });
  await startWaiting(context, endpointId);
}

async function startWaiting(context: Context, endpointId: string): Promise<void> {
  const policy = await context.transaction((transaction) => findPolicy(transaction, endpointId));
  if (!policy?.waiting || !policy.settings.isOn) return;
  if (policy.restsUntil && policy.restsUntil.getTime() > context.clock.nowMs()) return;
  const started = await begin(context, endpointId, policy.waiting);
  if (started) await advanceUpdate(context, started.id);
}

/** Writes a new update down, and that the endpoint rests then; undefined where one runs. */
async function begin(context: Context, endpointId: string, cause: Trigger): Promise<UpdateRow | undefined> {
  const { projectId, deployments, name } = await getEndpoint(context, endpointId);
  const [answering] = deployments.toSorted((one, other) => other.trafficShare - one.trafficShare);
  if (!answering) throw new Problem('endpoint-not-ready', `No model version answers for "${name}".`);
  const now = new Date(context.clock.nowMs());
  return await context.transaction(async (transaction) => {
    await addPolicy(transaction, newPolicy(context, { endpointId, projectId }));
    const policy = (await findPolicy(transaction, endpointId, { lock: true }))!;
    const isByTrigger = cause.kind !== 'person';
    // Another server may have started it since this one looked.
    if (isByTrigger && policy.waiting?.at !== cause.at) return undefined;
    const row = await addUpdate(transaction, {
      id: context.newId('update'),
      workspaceId: context.workspaceId,
      projectId,
      endpointId,
      state: 'starting',
      trigger: cause,
      formerVersionId: answering.modelVersionId,
      formerModelName: answering.modelName,
      formerNumber: answering.versionNumber,
      formerDeployments: deployments.map(({ modelVersionId, trafficShare }) => ({
        modelVersionId,
        trafficShare,
      })),
      maxMicroUsd: policy.settings.maxMicroUsdPerRun,
      reasons: [],
      steps: [{ state: 'starting', words: cause.words, at: toIso(now.getTime()) }],
      startedBy: context.actor.id,
      createdAt: now,
    });
    if (!row) return undefined;
    const restsUntil = new Date(now.getTime() + policy.settings.restHours * hourMs);
    await changePolicy(transaction, endpointId, { waiting: null, restsUntil });
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { update: row.id, trigger: cause.kind },
    });
    return row;
  });
}

/** The dataset that the version which answers learned from. */
async function dataOf(context: Context, endpointId: string): Promise<string | undefined> {
  try {
    const { deployments } = await getEndpoint(context, endpointId);
    const [answering] = deployments.toSorted((one, other) => other.trafficShare - one.trafficShare);
    if (!answering) return undefined;
    return (await getModelVersion(context, answering.modelVersionId)).lineage?.datasetId;
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function requireUpdate(transaction: Transaction, updateId: string): Promise<UpdateRow> {
  const row = await findUpdate(transaction, updateId);
  if (!row) throw new Problem('not-found', `There is no update ${updateId}.`);
  return row;
}

function newPolicy(
  { newId, workspaceId, clock }: Context,
  { endpointId, projectId }: { endpointId: string; projectId: string },
): Parameters<typeof addPolicy>[1] {
  return {
    id: newId('updatePolicy'),
    workspaceId,
    projectId,
    endpointId,
    settings: defaultSettings,
    engineVersion,
    createdAt: new Date(clock.nowMs()),
  };
}

function showPolicy(endpointId: string, row: PolicyRow | undefined): UpdatePolicy {
  const time = (date: Date | null | undefined): string | null => (date ? toIso(date.getTime()) : null);
  return {
    endpointId,
    settings: row?.settings ?? defaultSettings,
    nextAt: time(row?.nextAt),
    restsUntil: time(row?.restsUntil),
    waiting: row?.waiting ?? null,
  };
}

function show(row: UpdateRow): Update {
  const { id, endpointId, state, trigger: cause, trainingId, comparisonId, releaseId } = row;
  const { reasons, steps, startedBy } = row;
  const { candidateVersionId, candidateModelName, candidateNumber } = row;
  return {
    id,
    endpointId,
    state,
    trigger: cause,
    former: {
      modelVersionId: row.formerVersionId,
      modelName: row.formerModelName,
      versionNumber: row.formerNumber,
    },
    candidate:
      candidateVersionId === null
        ? null
        : {
            modelVersionId: candidateVersionId,
            modelName: candidateModelName!,
            versionNumber: candidateNumber!,
          },
    trainingId,
    comparisonId,
    releaseId,
    reasons,
    steps,
    startedBy,
    createdAt: toIso(row.createdAt.getTime()),
    endedAt: row.endedAt ? toIso(row.endedAt.getTime()) : null,
  };
}
