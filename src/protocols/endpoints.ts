// Which endpoint a client of another protocol means, and what answers it. Clients name an endpoint by its name or by its
// id; a name counts within the project of the key, or, for a key of the whole workspace, where one project alone has it.
//
// Names are kept in memory, so that a warm endpoint waits for no database here either. That is safe: whether a caller may
// use an endpoint, and which version answers, is decided anew for each request by pipeline/predict.
import { Problem } from '../base/problems.ts';
import { minuteMs } from '../base/time.ts';
import { findEndpoints, getEndpoint, type Endpoint } from '../pipeline/deploy/deploy.ts';
import { assertRowCount, predict, type Predictions } from '../pipeline/predict/predict.ts';
import { getModelVersion } from '../pipeline/registry/registry.ts';
import type { Context } from '../platform/context.ts';
import type { Database } from '../platform/ports/database.ts';
import type { Question } from './question.ts';

/** How a client names what it asks. */
export interface Reference {
  /** Name or id. */
  endpoint: string;
  /** The only project that it may be in. */
  projectId?: string | undefined;
  /** Number or id of the model version that is to answer; the traffic decides where there is none. */
  version?: string | undefined;
}

/** The answers, and who gave them. */
export interface Answered {
  answers: Predictions;
  endpoint: Endpoint;
  version: Pick<Deployment, 'modelVersionId' | 'modelName' | 'versionNumber'>;
  /** Null when the deployment was replaced while it answered. */
  deploymentId: string | null;
}

type Deployment = Endpoint['deployments'][number];

/** Names that are kept; the oldest leave. */
const maxKnown = 10_000;
/** After this an endpoint is looked up again, should its name have come to mean two. */
const freshMs = minuteMs;

/** The endpoint that is meant, as it is now. Throws `not-found`, and `invalid-request` for a name that several have. */
export async function endpointOf(context: Context, reference: Reference): Promise<Endpoint> {
  const { endpoint: name, projectId } = reference;
  if (!/^[\w-]{1,64}$/.test(name)) throw noSuchEndpoint(name);
  if (name.startsWith('ep_')) {
    const found = await getEndpoint(context, name);
    if (projectId !== undefined && found.projectId !== projectId) throw noSuchEndpoint(name);
    return found;
  }
  const found = await findEndpoints(context, { name, projectId, limit: 2 });
  if (found.length > 1)
    throw new Problem(
      'invalid-request',
      `Several projects have an endpoint "${name}". Use its id, or a key that is bound to the project.`,
      { errors: [{ field: 'endpoint', message: 'must be the id' }] },
    );
  if (!found[0]) throw noSuchEndpoint(name);
  return found[0];
}

/** The deployments that answer: those of shadows are nobody's to ask. */
export function answeringOf({ deployments }: Endpoint): Deployment[] {
  return deployments.filter(({ role }) => role === 'live');
}

/** The deployment of a version, by its number or id. Throws `not-found`, and `invalid-request` for a number that two have. */
export function deploymentOf(endpoint: Endpoint, version: string): Deployment {
  const answering = answeringOf(endpoint);
  const found = answering.filter(
    ({ modelVersionId, versionNumber }) => modelVersionId === version || String(versionNumber) === version,
  );
  if (found.length > 1)
    throw new Problem(
      'invalid-request',
      `Two models with a version ${version} answer for "${endpoint.name}". Use the id of the model version.`,
      { errors: [{ field: 'version', message: 'must be the id' }] },
    );
  if (found[0]) return found[0];
  const there = answering.map(({ versionNumber }) => versionNumber).join(', ');
  throw new Problem(
    'not-found',
    `No version "${version.slice(0, 64)}" answers for "${endpoint.name}"; there is: ${there}.`,
  );
}

/** Answers a question. Throws what {@link endpointOf}, {@link deploymentOf} and `predict` throw. */
export async function answer(context: Context, reference: Reference, question: Question): Promise<Answered> {
  if (question.rowCount === 0)
    throw new Problem('prediction-input', 'The request has no rows.', {
      errors: [{ field: 'rows', message: 'must be at least one' }],
    });
  assertRowCount(context, question.rowCount);
  const known = knownBy(context);
  const name = [context.workspaceId, boundProject(context), reference.projectId, reference.endpoint].join(
    '/',
  );
  const nowMs = context.clock.monotonicMs();
  const kept = known.get(name);
  if (kept && nowMs - kept.readAtMs < freshMs) {
    try {
      const answered = await answerBy(context, kept.endpoint, { reference, question });
      kept.endpoint = answered.endpoint;
      return answered;
    } catch (error) {
      // The endpoint or the version may have gone, and its name may mean another one now.
      if (!(error instanceof Problem && error.code === 'not-found')) throw error;
    }
  }
  known.delete(name);
  const endpoint = await endpointOf(context, reference);
  known.set(name, { endpoint, readAtMs: nowMs });
  if (known.size > maxKnown) known.delete(known.keys().next().value!);
  return await answerBy(context, endpoint, { reference, question });
}

interface Known {
  endpoint: Endpoint;
  readAtMs: number;
}

async function answerBy(
  context: Context,
  endpoint: Endpoint,
  { reference: { version: wanted }, question }: { reference: Reference; question: Question },
): Promise<Answered> {
  const modelVersionId = wanted === undefined ? undefined : deploymentOf(endpoint, wanted).modelVersionId;
  const answers = await predict(context, endpoint.id, (fields) => question.rowsFor(fields), {
    modelVersionId,
  });
  const isAnswering = ({ modelVersionId: id }: { modelVersionId: string }): boolean =>
    id === answers.modelVersionId;
  const known = answeringOf(endpoint).find(isAnswering);
  if (known) return { answers, endpoint, version: known, deploymentId: known.id };
  // What was deployed since the endpoint was looked up is not in it yet.
  const current = await getEndpoint(context, endpoint.id);
  const fresh = answeringOf(current).find(isAnswering);
  if (fresh) return { answers, endpoint: current, version: fresh, deploymentId: fresh.id };
  const { id, modelName, number } = await getModelVersion(context, answers.modelVersionId);
  const version = { modelVersionId: id, modelName, versionNumber: number };
  return { answers, endpoint: current, version, deploymentId: null };
}

/** One memory for each server of this process, which is one for each database that is open. */
const memories = new WeakMap<Database, Map<string, Known>>();

function knownBy({ database }: Context): Map<string, Known> {
  let known = memories.get(database);
  if (!known) memories.set(database, (known = new Map()));
  return known;
}

function boundProject({ actor }: Context): string | null {
  return actor.kind === 'key' ? actor.projectId : null;
}

function noSuchEndpoint(name: string): Problem {
  return new Problem('not-found', `There is no endpoint "${name.slice(0, 64)}" that this key may use.`);
}
