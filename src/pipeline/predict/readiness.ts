// How ready endpoints are to answer: what this server knows of its models and replicas, told to the other servers through
// the database (when it changes, and confirmed every ten seconds), and put together with what they tell.
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { toIso } from '../../base/time.ts';
import type { servingStatus } from '../../contract/endpoint.ts';
import type { Context, Services } from '../../platform/context.ts';
import type { ModelServerStatus } from '../../platform/ports/model-servers.ts';
import type { Endpoint, Target } from '../deploy/deploy.ts';
import { confirmStates, dropStates, putStates, statesElsewhere, type ServingState } from './rows.ts';

export type ServingStatus = z.output<typeof servingStatus>;
type State = ServingStatus['state'];

/** How ready one version of an endpoint is on one server. */
export interface Readiness {
  modelVersionId: string;
  place: 'in-process' | 'apart' | null;
  state: State;
  loadedShare: number | null;
  replicas: { ready: number; loading: number };
  waitingCount: number;
  lastFailure: { atMs: number; detail: string } | null;
}

const confirmEveryMs = 10_000;
/** From the least ready on. */
const order: readonly State[] = ['cold', 'queued', 'loading', 'warm'];

/** Readiness of a model that answers apart; `refusal`: why replicas are not kept that should be. */
export function apartReadiness(
  modelVersionId: string,
  status: ModelServerStatus | undefined,
  refusal: Readiness['lastFailure'],
): Readiness {
  const { state, loadedShare, replicas, waitingCount, lastFailure } = status ?? coldStatus;
  const failure = lastFailure && { atMs: lastFailure.atMs, detail: lastFailure.problem.message };
  return {
    modelVersionId,
    place: 'apart',
    state,
    loadedShare,
    replicas,
    waitingCount,
    lastFailure: failure ?? refusal,
  };
}

/** Readiness of a model that answers in the server's process, or of one that is not known yet. */
export function readinessWithoutReplicas(
  modelVersionId: string,
  { place, state }: Pick<Readiness, 'place' | 'state'>,
): Readiness {
  const { replicas, waitingCount } = coldStatus;
  return { modelVersionId, place, state, loadedShare: null, replicas, waitingCount, lastFailure: null };
}

const coldStatus: ModelServerStatus = {
  state: 'cold',
  loadedShare: null,
  replicas: { ready: 0, loading: 0 },
  waitingCount: 0,
  lastFailure: null,
};

/** What one server tells the others. */
export class ReadinessBoard {
  readonly serverId = randomUUID();
  readonly #services: Pick<Services, 'database' | 'clock'>;
  readonly #look: (target: Target) => Readiness[];
  readonly #targets = new Map<string, Target>();
  /** By endpoint, as it was written. */
  readonly #written = new Map<string, string>();
  #confirmedAtMs: number;

  constructor(services: Pick<Services, 'database' | 'clock'>, look: (target: Target) => Readiness[]) {
    this.#services = services;
    this.#look = look;
    this.#confirmedAtMs = services.clock.monotonicMs();
  }

  /** Tells of an endpoint from now on, until it is cold. */
  follow(target: Target): void {
    this.#targets.set(target.endpointId, target);
  }

  /** Writes what changed. */
  async tend(): Promise<void> {
    const changed: ServingState[] = [];
    const gone: string[] = [];
    for (const [endpointId, target] of this.#targets) {
      const versions = this.#look(target).filter(({ state }) => state !== 'cold');
      const text = JSON.stringify(versions);
      if (versions.length === 0) {
        this.#targets.delete(endpointId);
        if (this.#written.has(endpointId)) gone.push(endpointId);
      } else if (this.#written.get(endpointId) !== text) {
        const { workspaceId, projectId } = target;
        changed.push({ endpointId, workspaceId, projectId, versions });
      }
    }
    const nowMs = this.#services.clock.monotonicMs();
    const isDue = this.#written.size > 0 && nowMs - this.#confirmedAtMs >= confirmEveryMs;
    if (changed.length === 0 && gone.length === 0 && !isDue) return;
    await this.#services.database.asSystem('tell how ready endpoints are', async (transaction) => {
      await putStates(transaction, this.serverId, changed);
      await dropStates(transaction, this.serverId, gone);
      if (isDue) await confirmStates(transaction, this.serverId);
    });
    for (const { endpointId, versions } of changed) this.#written.set(endpointId, JSON.stringify(versions));
    for (const endpointId of gone) this.#written.delete(endpointId);
    if (isDue) this.#confirmedAtMs = nowMs;
  }

  /** Takes back all that was told. */
  async close(): Promise<void> {
    const told = [...this.#written.keys()];
    if (told.length === 0) return;
    await this.#services.database.asSystem('tell that a server stops', (transaction) =>
      dropStates(transaction, this.serverId, told),
    );
  }
}

/** What this server and the others know of an endpoint, together. */
export async function statusOverServers(
  context: Context,
  { id, deployments }: Endpoint,
  here: { serverId: string; versions: readonly Readiness[] },
): Promise<ServingStatus> {
  const elsewhere = await context.transaction((transaction) =>
    statesElsewhere(transaction, here.serverId, id),
  );
  const told = [here.versions, ...elsewhere].flat();
  const versions = deployments.map(({ modelVersionId, modelName, versionNumber }) => {
    const ofVersion = told.filter((one) => one.modelVersionId === modelVersionId);
    return { modelName, versionNumber, ...together(modelVersionId, ofVersion) };
  });
  // Nobody waits for shadows.
  const answering = versions.filter((_, index) => deployments[index]!.role === 'live');
  const state = order.find((one) => answering.some((version) => version.state === one)) ?? 'cold';
  return { state, versions };
}

/** A version is as ready as it is on the server that has come furthest. */
function together(
  modelVersionId: string,
  told: readonly Readiness[],
): Omit<ServingStatus['versions'][number], 'modelName' | 'versionNumber'> {
  const [first] = told.toSorted((a, b) => order.indexOf(b.state) - order.indexOf(a.state));
  const failures = told.flatMap(({ lastFailure }) => lastFailure ?? []);
  const [latest] = failures.toSorted((a, b) => b.atMs - a.atMs);
  const sum = (valueOf: (one: Readiness) => number): number =>
    told.reduce((total, one) => total + valueOf(one), 0);
  return {
    modelVersionId,
    place: told.find(({ place }) => place !== null)?.place ?? null,
    state: first?.state ?? 'cold',
    loadedShare: first?.loadedShare ?? null,
    replicas: {
      ready: sum(({ replicas }) => replicas.ready),
      loading: sum(({ replicas }) => replicas.loading),
    },
    waitingCount: sum(({ waitingCount }) => waitingCount),
    serverCount: told.filter(({ state }) => state === 'warm').length,
    lastFailure: latest ? { at: toIso(latest.atMs), detail: latest.detail } : null,
  };
}
