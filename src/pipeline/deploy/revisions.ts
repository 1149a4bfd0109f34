// Revisions of an endpoint: who answers from now on, and with which share. Making one has two halves, so that nothing slow
// happens inside a transaction: `prepareRevision` looks at the versions, `makeRevision` writes. A release (pipeline/release)
// holds its endpoint: until it ends nobody else makes revisions.
import { Problem } from '../../base/problems.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { getUsableModelVersion, type ModelVersion } from '../registry/registry.ts';
import {
  addDeployments,
  countedDeployments,
  findEndpoint,
  pointAtRevision,
  setHolder,
  type DeploymentRole,
  type DeploymentRow,
  type EndpointRow,
  type RequestCounts,
} from './rows.ts';

/**
 * The upper edges of the buckets that latencies are counted in, milliseconds; one more bucket has all above. Each is
 * about twice the one before.
 */
export const latencyEdgesMs: readonly number[] = [
  0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000,
];

/** A version and its share of the traffic, 0 to 1; of a shadow the share of requests that are copied. */
export interface WantedDeployment {
  modelVersionId: string;
  trafficShare: number;
  role?: DeploymentRole;
}

/** Deployments whose versions may be used. */
export type Prepared = { version: ModelVersion; trafficShare: number; role: DeploymentRole }[];

/** A deployment and how its requests ended. */
export type CountedDeployment = DeploymentRow & RequestCounts;

/**
 * Looks whether these versions may share an endpoint of the project.
 * Throws `invalid-request`, `not-found`, `signing-key-withdrawn`.
 */
export async function prepareRevision(
  context: Context,
  projectId: string,
  wanted: readonly WantedDeployment[],
): Promise<Prepared> {
  assertShares(wanted);
  const versions = await deployableVersions(
    context,
    projectId,
    wanted.map(({ modelVersionId }) => modelVersionId),
  );
  return wanted.map(({ trafficShare, role = 'live' }, index) => ({
    version: versions[index]!,
    trafficShare,
    role,
  }));
}

/**
 * Makes what was prepared the endpoint's newest revision, and returns its number. Others see it when the transaction is
 * committed. Throws `not-found`, and `wrong-state` while a release other than `asRelease` holds the endpoint.
 */
export async function makeRevision(
  context: Context,
  transaction: Transaction,
  { endpointId, prepared, asRelease }: { endpointId: string; prepared: Prepared; asRelease: string | null },
): Promise<number> {
  const row = await requireEndpoint(transaction, endpointId, { lock: true });
  if (row.heldBy !== null && row.heldBy !== asRelease) throw held(row);
  const live = prepared.filter(({ role }) => role === 'live');
  const [largest] = live.toSorted((one, other) => other.trafficShare - one.trafficShare);
  const next = { ...row, revision: row.revision + 1, fields: largest!.version.fields };
  await addRevision(context, transaction, next, prepared);
  await pointAtRevision(transaction, endpointId, { revision: next.revision, fields: next.fields });
  return next.revision;
}

/** Lets this release alone deploy to the endpoint. Throws `not-found`, and `wrong-state` while another does. */
export async function holdForRelease(
  transaction: Transaction,
  endpointId: string,
  releaseId: string,
): Promise<{ projectId: string; name: string; revision: number }> {
  const row = await requireEndpoint(transaction, endpointId, { lock: true });
  if (row.heldBy !== null) throw held(row);
  await setHolder(transaction, endpointId, releaseId);
  return row;
}

/** Lets anybody deploy again; the endpoint may be gone. */
export async function endHold(transaction: Transaction, endpointId: string): Promise<void> {
  await setHolder(transaction, endpointId, null);
}

/** The revision that answers now; undefined: the endpoint is gone. Nobody changes it until the transaction ends. */
export async function lockedRevision(
  transaction: Transaction,
  endpointId: string,
): Promise<number | undefined> {
  return (await findEndpoint(transaction, endpointId, { lock: true }))?.revision;
}

/** How the requests of each deployment of these revisions ended. */
export async function requestCounts(
  transaction: Transaction,
  endpointId: string,
  revisions: readonly number[],
): Promise<CountedDeployment[]> {
  const none = {
    requestCount: 0,
    errorCount: 0,
    latencyCounts: Array<number>(latencyEdgesMs.length + 1).fill(0),
  };
  const found = await countedDeployments(transaction, endpointId, revisions);
  return found.map(({ deployment, counts }) => ({ ...deployment, ...(counts ?? none) }));
}

/** One endpoint. Throws `not-found`. */
export async function requireEndpoint(
  transaction: Transaction,
  endpointId: string,
  options: { lock?: boolean } = {},
): Promise<EndpointRow> {
  const row = await findEndpoint(transaction, endpointId, options);
  if (!row) throw new Problem('not-found', `There is no endpoint ${endpointId}.`);
  return row;
}

/** Writes the deployments of the revision that `row` has, for those who look at it and those who react. */
export async function addRevision(
  context: Context,
  transaction: Transaction,
  row: EndpointRow,
  prepared: Prepared,
): Promise<void> {
  await addDeployments(
    transaction,
    prepared.map(({ version, trafficShare, role }) => ({
      id: context.newId('deployment'),
      workspaceId: context.workspaceId,
      projectId: row.projectId,
      endpointId: row.id,
      revision: row.revision,
      modelVersionId: version.id,
      modelName: version.modelName,
      versionNumber: version.number,
      role,
      trafficShare,
      createdAt: new Date(context.clock.nowMs()),
    })),
  );
  const ofRole = (wanted: DeploymentRole): [string, number][] =>
    prepared
      .filter(({ role }) => role === wanted)
      .map(({ version, trafficShare }) => [version.id, trafficShare]);
  const shadows = ofRole('shadow');
  await context.audit(transaction, {
    action: 'endpoint:write',
    subjectId: row.id,
    details: {
      revision: row.revision,
      shares: Object.fromEntries(ofRole('live')),
      ...(shadows.length > 0 && { shadows: Object.fromEntries(shadows) }),
    },
  });
  await context.publish(transaction, {
    name: 'endpoint-deployed',
    projectId: row.projectId,
    data: { endpointId: row.id, revision: row.revision },
  });
}

/** Shares such as a third do not add up to 1 exactly. */
const shareTolerance = 1e-6;

function assertShares(wanted: readonly WantedDeployment[]): void {
  const sum = wanted.reduce(
    (total, { trafficShare, role }) => total + (role === 'shadow' ? 0 : trafficShare),
    0,
  );
  if (Math.abs(sum - 1) > shareTolerance) {
    throw new Problem(
      'invalid-request',
      `The traffic shares add up to ${Number(sum.toFixed(6))}; they must add up to 1.`,
      {
        errors: [{ field: 'body.deployments', message: 'trafficShare must add up to 1' }],
      },
    );
  }
  const versions = new Set(wanted.map(({ modelVersionId }) => modelVersionId));
  if (versions.size < wanted.length) {
    throw new Problem('invalid-request', 'A model version is named twice.', {
      errors: [{ field: 'body.deployments', message: 'each modelVersionId once' }],
    });
  }
}

async function deployableVersions(
  context: Context,
  projectId: string,
  versionIds: string[],
): Promise<ModelVersion[]> {
  const versions = await Promise.all(
    versionIds.map((versionId) => getUsableModelVersion(context, versionId)),
  );
  const foreign = versions.find((version) => version.projectId !== projectId);
  if (foreign) throw new Problem('not-found', `The project has no model version ${foreign.id}.`);
  const [first] = versions;
  const other = versions.find((version) => version.task !== first!.task || version.target !== first!.target);
  if (other) {
    throw new Problem(
      'invalid-request',
      `The versions answer different questions: ${describe(first!)} and ${describe(other)}. ` +
        'Versions that share an endpoint must have the same task and target.',
      { errors: [{ field: 'body.deployments', message: 'must have the same task and target' }] },
    );
  }
  return versions;
}

function describe({ modelName, number, task, target }: ModelVersion): string {
  return `version ${number} of "${modelName}" (${task} of "${target}")`;
}

function held({ name, heldBy }: EndpointRow): Problem {
  return new Problem(
    'wrong-state',
    `The release ${heldBy} moves the traffic of "${name}" now. Finish it or roll it back, then deploy.`,
  );
}
