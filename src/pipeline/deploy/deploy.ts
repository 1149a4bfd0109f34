// Endpoints: stable addresses, and the model versions that answer behind them. This file is what other folders see.
// It says who answers; answering is the work of pipeline/predict.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { toIso } from '../../base/time.ts';
import type { endpoint, LogSettings, ServingSettings } from '../../contract/endpoint.ts';
import type { Context } from '../../platform/context.ts';
import { pageOf, readCursor } from '../../platform/http/cursor.ts';
import type { Database, Transaction } from '../../platform/ports/database.ts';
import { requireProject } from '../../platform/tenancy/tenancy.ts';
import {
  addRevision,
  makeRevision,
  prepareRevision,
  requireEndpoint,
  type WantedDeployment,
} from './revisions.ts';
import {
  addEndpoint,
  addPredictionCounts,
  addRequestCounts,
  changeCountsOf,
  changeLog,
  changeServing,
  deploymentsOf,
  dropEndpoint,
  endpointsChannel,
  endpointsKeptReady,
  findEndpointRows,
  holdEndpoint,
  listEndpointRows,
  logSettingsOf,
  type DeploymentRow,
  type EndpointRow,
  type RequestCounts,
} from './rows.ts';
import { changedServing, defaultServing, type ServingChange } from './serving-settings.ts';

export type Endpoint = z.output<typeof endpoint>;

/** A deployment that answers. */
export interface AnsweringDeployment {
  id: string;
  modelVersionId: string;
  /** 0 to 1. */
  trafficShare: number;
}

/** How requests of a deployment ended; latencies by the buckets of `latencyEdgesMs` (revisions.ts). */
export type DeploymentRequests = RequestCounts;

/** What prediction needs to know of an endpoint. */
export interface Target {
  endpointId: string;
  workspaceId: string;
  projectId: string;
  /** Rises with every deployment. */
  revision: number;
  /** Rises with every change of what is in here. */
  changeCount: number;
  deployments: AnsweringDeployment[];
  /** Asked copies of requests, of which `trafficShare` is the share. */
  shadows: AnsweringDeployment[];
  log: LogSettings;
  serving: ServingSettings;
}

/** Every request is logged, whole, for a quarter of a year. */
const defaultLog: LogSettings = { share: 1, redactedColumns: [], keptDays: 90 };

/** Makes an endpoint with one version that gets all of its traffic. Throws `already-exists`, `not-found`. */
export async function createEndpoint(
  context: Context,
  input: { projectId: string; name: string; modelVersionId: string },
): Promise<Endpoint> {
  const { projectId, name } = input;
  const prepared = await prepareRevision(context, projectId, [
    { modelVersionId: input.modelVersionId, trafficShare: 1 },
  ]);
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, projectId);
    const row = await addEndpoint(transaction, {
      id: context.newId('endpoint'),
      workspaceId: context.workspaceId,
      projectId,
      name,
      revision: 1,
      fields: prepared[0]!.version.fields,
      predictionCount: 0,
      log: defaultLog,
      serving: defaultServing,
      changeCount: 0,
      heldBy: null,
      createdAt: new Date(context.clock.nowMs()),
    });
    if (!row)
      throw new Problem('already-exists', `The project has an endpoint "${name}" already.`, {
        errors: [{ field: 'body.name', message: 'is taken' }],
      });
    await addRevision(context, transaction, row, prepared);
    return showEndpoint(row, await deploymentsOf(transaction, [row]));
  });
}

/**
 * Replaces the versions that answer; takes effect on this server at once, on others within two seconds.
 * Throws `wrong-state` while a release moves the traffic of the endpoint.
 */
export async function deployModel(
  context: Context,
  endpointId: string,
  wanted: WantedDeployment[],
): Promise<Endpoint> {
  const { projectId } = await context.transaction((transaction) => requireEndpoint(transaction, endpointId));
  const prepared = await prepareRevision(context, projectId, wanted);
  return await context.transaction(async (transaction) => {
    await makeRevision(context, transaction, { endpointId, prepared, asRelease: null });
    const row = await requireEndpoint(transaction, endpointId);
    return showEndpoint(row, await deploymentsOf(transaction, [row]));
  });
}

/** One endpoint. Throws `not-found`. */
export async function getEndpoint(context: Context, endpointId: string): Promise<Endpoint> {
  return await context.transaction(async (transaction) => {
    const row = await requireEndpoint(transaction, endpointId);
    return showEndpoint(row, await deploymentsOf(transaction, [row]));
  });
}

/** The endpoints of a project, newest first. */
export async function listEndpoints(
  context: Context,
  input: { projectId: string; limit: number; cursor?: string | undefined },
): Promise<{ items: Endpoint[]; nextCursor: string | null }> {
  return await context.transaction(async (transaction) => {
    await requireProject(transaction, input.projectId);
    const rows = await listEndpointRows(transaction, input.projectId, {
      limit: input.limit,
      after: readCursor(input.cursor),
    });
    const answering = Map.groupBy(await deploymentsOf(transaction, rows), (row) => row.endpointId);
    return pageOf(
      rows,
      input.limit,
      (row) => row.id,
      (row) => showEndpoint(row, answering.get(row.id) ?? []),
    );
  });
}

/** The first endpoints, oldest first, of every project that the caller reaches: those of a name, of a project, or all. */
export async function findEndpoints(
  context: Context,
  wanted: { name?: string | undefined; projectId?: string | undefined; limit: number },
): Promise<Endpoint[]> {
  const { name, projectId, limit } = wanted;
  return await context.transaction(async (transaction) => {
    const rows = await findEndpointRows(transaction, { name, projectId, limit });
    const answering = Map.groupBy(await deploymentsOf(transaction, rows), (row) => row.endpointId);
    return rows.map((row) => showEndpoint(row, answering.get(row.id) ?? []));
  });
}

/** Changes what is kept of predictions from now on; on other servers within two seconds. Throws `not-found`. */
export async function setLogSettings(
  context: Context,
  endpointId: string,
  change: { [Name in keyof LogSettings]?: LogSettings[Name] | undefined },
): Promise<Endpoint> {
  return await context.transaction(async (transaction) => {
    const row = await requireEndpoint(transaction, endpointId, { lock: true });
    const log = {
      share: change.share ?? row.log.share,
      redactedColumns: [...new Set(change.redactedColumns ?? row.log.redactedColumns)],
      keptDays: change.keptDays ?? row.log.keptDays,
    };
    await changeLog(transaction, endpointId, log);
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { log },
    });
    return showEndpoint({ ...row, log }, await deploymentsOf(transaction, [row]));
  });
}

/** Changes where models answer and how many replicas there are. Throws `not-found`, `invalid-request`. */
export async function setServingSettings(
  context: Context,
  endpointId: string,
  change: ServingChange,
): Promise<Endpoint> {
  return await context.transaction(async (transaction) => {
    const row = await requireEndpoint(transaction, endpointId, { lock: true });
    const serving = changedServing(row.serving, change);
    await changeServing(transaction, endpointId, serving);
    const details = { serving };
    await context.audit(transaction, { action: 'endpoint:write', subjectId: endpointId, details });
    return showEndpoint({ ...row, serving }, await deploymentsOf(transaction, [row]));
  });
}

/** What is kept of the predictions of these endpoints; endpoints that are gone are left out. */
export async function endpointLogSettings(
  transaction: Transaction,
  endpointIds: readonly string[],
): Promise<Map<string, LogSettings>> {
  return await logSettingsOf(transaction, endpointIds);
}

/** Whether the endpoint is there; if so it cannot be deleted until the transaction ends. */
export async function keepEndpoint(transaction: Transaction, endpointId: string): Promise<boolean> {
  return await holdEndpoint(transaction, endpointId);
}

/** Removes an endpoint; its address stops answering. Throws `not-found`. */
export async function deleteEndpoint(context: Context, endpointId: string): Promise<void> {
  await context.transaction(async (transaction) => {
    const row = await requireEndpoint(transaction, endpointId, { lock: true });
    await dropEndpoint(transaction, endpointId);
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { deleted: row.name },
    });
    await context.publish(transaction, {
      name: 'endpoint-deleted',
      projectId: row.projectId,
      data: { endpointId },
    });
  });
}

/** Who answers for an endpoint now. Throws `not-found`. */
export async function predictionTarget(context: Context, endpointId: string): Promise<Target> {
  return await context.transaction(async (transaction) => {
    const row = await requireEndpoint(transaction, endpointId);
    const deployments = await deploymentsOf(transaction, [row]);
    return targetOf(row, deployments);
  });
}

/** Who answers for every endpoint that has replicas which are always ready, over all workspaces. */
export async function targetsKeptReady(database: Database): Promise<Target[]> {
  return await database.asSystem('keep replicas ready', async (transaction) => {
    const rows = await endpointsKeptReady(transaction);
    const answering = Map.groupBy(await deploymentsOf(transaction, rows), (row) => row.endpointId);
    return rows.map((row) => targetOf(row, answering.get(row.id) ?? []));
  });
}

/** The change count of each endpoint, over all workspaces; endpoints that are gone are left out. */
export async function currentChangeCounts(
  database: Database,
  endpointIds: readonly string[],
): Promise<Map<string, number>> {
  return await database.asSystem('check deployments', (transaction) =>
    changeCountsOf(transaction, endpointIds),
  );
}

/**
 * Calls `wake` with the id of every endpoint that is changed or deleted, on any server. A hint that may be lost:
 * whoever listens asks for {@link currentChangeCounts} too. Returns what ends it.
 */
export async function watchEndpoints(
  database: Database,
  wake: (endpointId: string) => void,
): Promise<() => Promise<void>> {
  return await database.listen(endpointsChannel, wake);
}

/** Adds to the counts of predictions, by endpoint, over all workspaces; written in batches by whoever predicts. */
export async function recordPredictions(
  database: Database,
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  await database.asSystem('count predictions', (transaction) => addPredictionCounts(transaction, counts));
}

/** Adds to the counts of requests, by deployment, over all workspaces; written in batches by whoever predicts. */
export async function recordRequests(
  database: Database,
  counts: ReadonlyMap<string, DeploymentRequests>,
): Promise<void> {
  await database.asSystem('count requests', (transaction) => addRequestCounts(transaction, counts));
}

function targetOf(row: EndpointRow, answering: readonly DeploymentRow[]): Target {
  const { id: endpointId, workspaceId, projectId, revision, changeCount, log, serving } = row;
  const ofRole = (wanted: DeploymentRow['role']): AnsweringDeployment[] =>
    answering
      .filter(({ role }) => role === wanted)
      .map(({ id, modelVersionId, trafficShare }) => ({ id, modelVersionId, trafficShare }));
  return {
    endpointId,
    workspaceId,
    projectId,
    revision,
    changeCount,
    deployments: ofRole('live'),
    shadows: ofRole('shadow'),
    log,
    serving,
  };
}

function showEndpoint(row: EndpointRow, answering: DeploymentRow[]): Endpoint {
  return {
    id: row.id,
    projectId: row.projectId,
    name: row.name,
    state: answering.length > 0 ? 'ready' : 'empty',
    deployments: answering.map(showDeployment),
    fields: row.fields,
    predictPath: `/api/v1/endpoints/${row.id}/predictions`,
    predictionCount: row.predictionCount,
    log: row.log,
    releaseId: row.heldBy,
    serving: row.serving,
    createdAt: toIso(row.createdAt.getTime()),
  };
}

function showDeployment(row: DeploymentRow): Endpoint['deployments'][number] {
  const { id, modelVersionId, modelName, versionNumber, role, trafficShare, createdAt } = row;
  return {
    id,
    modelVersionId,
    modelName,
    versionNumber,
    role,
    trafficShare,
    createdAt: toIso(createdAt.getTime()),
  };
}
