// What a server keeps in memory to answer without asking the database: which versions answer for an endpoint, their
// opened models, and counts of predictions on their way to the database.
//
// A change of deployments is known at once where its notification arrives, and within two seconds where it is lost:
// once a second the change counts of all endpoints in use are compared, and what could not be compared is not used. In the same
// time every model is opened anew when a signing key was withdrawn: those that it signed no longer can be. While the
// database cannot be reached, what was known answers on for a minute (platform/database/outage.ts).
import { hash32 } from '../../base/hash.ts';
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import type { Context, Services } from '../../platform/context.ts';
import type { ServedModel } from '../../platform/ports/model-servers.ts';
import { isOutage, outageMs, outagePatienceMs } from '../../platform/database/outage.ts';
import { countWithdrawnKeys } from '../../platform/security/signing/signing.ts';
import {
  currentChangeCounts,
  predictionTarget,
  recordPredictions,
  watchEndpoints,
  type Target,
} from '../deploy/deploy.ts';
import { modelOfItsOwn, openModelVersion, type OpenedVersion } from '../registry/registry.ts';
import type { Answerer } from './answer.ts';
import type { LogSettings } from '../../contract/endpoint.ts';
import type { LogStream } from './log/record.ts';
import { PredictionMetrics } from './metrics.ts';
import { KeptReady } from './kept-ready.ts';
import { ModelCache } from './model-cache.ts';
import { apartReadiness, ReadinessBoard, readinessWithoutReplicas, type Readiness } from './readiness.ts';
import { Shadows } from './shadows.ts';
import { Tally } from './tally.ts';

/** Model files of this size in all stay open. */
const modelCacheBytes = 536_870_912;
const tendEveryMs = secondMs;
const staleMs = 2 * secondMs;
/** Endpoints that were not used for so long are no longer watched. */
const idleMs = 5 * minuteMs;

/** Who answers a request. */
export interface Answering {
  projectId: string;
  modelVersionId: string;
  model: Answerer;
  /** What is kept of the answers, and as whose. */
  log: { stream: LogStream; settings: LogSettings };
}

interface Known {
  target: Target;
  checkedAtMs: number;
  usedAtMs: number;
}

/** One server's memory for predictions. */
export class Serving {
  readonly metrics: PredictionMetrics;
  /** How requests end. */
  readonly tally = new Tally();
  readonly #shadows = new Shadows(this.tally);
  readonly #services: Services;
  readonly #known = new Map<string, Known>();
  readonly #loading = new Map<string, Promise<Known>>();
  readonly #models = new ModelCache<OpenedVersion>(modelCacheBytes);
  readonly #board: ReadinessBoard;
  readonly #kept: KeptReady;
  readonly #timer: NodeJS.Timeout;
  readonly #unwatch: Promise<(() => Promise<void>) | undefined>;
  #counts = new Map<string, number>();
  #tending: Promise<void> | undefined;
  #withdrawnKeyCount: number | undefined;
  #isDatabaseOut = false;

  constructor(services: Services) {
    this.#services = services;
    this.metrics = new PredictionMetrics(services, () => this.#models.held);
    this.#board = new ReadinessBoard(services, (target) => this.readiness(target));
    this.#kept = new KeptReady(services, (...which) => this.#makeReady(...which));
    this.#timer = setInterval(() => void this.tend(), tendEveryMs);
    this.#timer.unref();
    this.#unwatch = watchEndpoints(services.database, (id) => this.#forget(id)).catch((error: unknown) => {
      services.log.warn({ error }, 'Changes of endpoints are only seen by looking every second.');
      return undefined;
    });
  }

  /**
   * The version that answers a request: the one that is wanted, which must be deployed, or one by the shares of the
   * traffic; the same for one request id.
   * Throws `not-found`, `endpoint-not-ready`, or what opening a model throws.
   */
  async answering(context: Context, endpointId: string, wantedVersionId?: string): Promise<Answering> {
    const known = this.#fresh(endpointId) ?? (await this.#load(context, endpointId));
    known.usedAtMs = this.#services.clock.monotonicMs();
    context.laps.end('find');
    const { target } = known;
    if (!mayUse(context, target)) throw noSuchEndpoint(endpointId);
    const deployment =
      wantedVersionId === undefined ? pick(target, context.requestId) : deployed(target, wantedVersionId);
    const { modelVersionId } = deployment;
    const opened =
      this.#models.get(nameOf(target, modelVersionId)) ?? (await this.#openFor(context, target, deployment));
    context.laps.end('load');
    return {
      projectId: target.projectId,
      modelVersionId,
      model: this.#askable(target, modelVersionId, opened),
      log: { stream: streamOf(target, deployment, opened), settings: target.log },
    };
  }

  /** Has the shadows of an endpoint, if it has any, answer what was answered, later and for the log alone. */
  askShadows(context: Context, endpointId: string, rows: readonly Readonly<Record<string, unknown>>[]): void {
    const target = this.#known.get(endpointId)?.target;
    for (const deployment of target?.shadows ?? [])
      this.#shadows.ask(context, {
        deployment,
        rows,
        open: async (own) => {
          const opened = await this.#open(own, target!, deployment.modelVersionId);
          const stream = { ...streamOf(target!, deployment, opened), role: 'shadow' as const };
          return {
            model: this.#askable(target!, deployment.modelVersionId, opened),
            log: { stream, settings: target!.log },
          };
        },
      });
  }

  /** How ready each version of an endpoint is on this server. */
  readiness(target: Target): Readiness[] {
    return [...target.deployments, ...target.shadows].map(({ modelVersionId }) => {
      const name = nameOf(target, modelVersionId);
      const opened = this.#models.peek(name);
      if (opened?.apart) {
        const { served } = this.#apart(target, modelVersionId, opened.apart);
        const status = this.#services.modelServers.statusOf(served.name);
        return apartReadiness(modelVersionId, status, this.#kept.refusalOf(served.name));
      }
      const place = opened ? 'in-process' : null;
      const state = opened ? 'warm' : this.#models.isOpening(name) ? 'loading' : 'cold';
      return readinessWithoutReplicas(modelVersionId, { place, state });
    });
  }

  get serverId(): string {
    return this.#board.serverId;
  }

  /** Counts predictions of an endpoint; written once a second. */
  count(endpointId: string, count: number): void {
    this.#counts.set(endpointId, (this.#counts.get(endpointId) ?? 0) + count);
  }

  /** One round of upkeep: compares change counts and writes counts. A round that is going on is joined. */
  async tend(): Promise<void> {
    this.#tending ??= this.#tendOnce().finally(() => {
      this.#tending = undefined;
    });
    await this.#tending;
  }

  /** Ends the upkeep and writes what was counted. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#shadows.close();
    await (
      await this.#unwatch
    )?.();
    await this.#tending;
    await this.tend();
    await this.#attempt('What was told of endpoints could not be taken back.', () => this.#board.close());
  }

  /** Opens the model of a deployment; one that does not open failed a request. */
  async #openFor(
    context: Context,
    target: Target,
    { id, modelVersionId }: Target['deployments'][number],
  ): Promise<OpenedVersion> {
    try {
      return await this.#open(context, target, modelVersionId);
    } catch (error) {
      this.tally.failed(id, error);
      throw error;
    }
  }

  #askable(target: Target, modelVersionId: string, { apart, model }: OpenedVersion): Answerer {
    return apart ? this.#apart(target, modelVersionId, apart).model : model;
  }

  async #open(context: Context, target: Target, modelVersionId: string): Promise<OpenedVersion> {
    this.#board.follow(target);
    return await this.#models.load(nameOf(target, modelVersionId), () =>
      openModelVersion(context, modelVersionId, target.serving.place),
    );
  }

  /** The model asked in processes of this endpoint alone. */
  #apart(
    target: Target,
    modelVersionId: string,
    apart: NonNullable<OpenedVersion['apart']>,
  ): ReturnType<typeof modelOfItsOwn> {
    const { maxReplicas, idleMinutes } = target.serving;
    return modelOfItsOwn(this.#services, apart, {
      name: `${target.endpointId} ${modelVersionId}`,
      scale: { maxReplicas, idleMs: idleMinutes * minuteMs },
    });
  }

  async #makeReady(context: Context, target: Target, modelVersionId: string): Promise<ServedModel | null> {
    const { apart } = await this.#open(context, target, modelVersionId);
    return apart && this.#apart(target, modelVersionId, apart).served;
  }

  #fresh(endpointId: string): Known | undefined {
    const known = this.#known.get(endpointId);
    if (!known) return undefined;
    const ageMs = this.#services.clock.monotonicMs() - known.checkedAtMs;
    return ageMs < (this.#isDatabaseOut ? outageMs : staleMs) ? known : undefined;
  }

  /** Reads who answers; many that ask at once wait for one reading. */
  async #load(context: Context, endpointId: string): Promise<Known> {
    const name = [context.workspaceId, boundProject(context), endpointId].join('/');
    let loading = this.#loading.get(name);
    if (!loading) {
      loading = this.#orRemembered(endpointId, () => this.#read(context, endpointId)).finally(() =>
        this.#loading.delete(name),
      );
      this.#loading.set(name, loading);
    }
    return await loading;
  }

  /** What is read, or what was known if the database does not answer, or not in time. */
  async #orRemembered(endpointId: string, read: () => Promise<Known>): Promise<Known> {
    const late = Promise.withResolvers<Known>();
    const patience = setTimeout(() => {
      if (!this.#known.has(endpointId)) return;
      this.#isDatabaseOut = true;
      const known = this.#fresh(endpointId);
      if (known) late.resolve(known);
    }, outagePatienceMs);
    try {
      return await Promise.race([this.#noticeOutage(read), late.promise]);
    } catch (error) {
      const known = isOutage(error) ? this.#fresh(endpointId) : undefined;
      if (known) return known;
      throw error;
    } finally {
      clearTimeout(patience);
    }
  }

  async #read(context: Context, endpointId: string): Promise<Known> {
    // Of before the reading, so that a change while it goes on is not missed for longer than two seconds.
    const checkedAtMs = this.#services.clock.monotonicMs();
    await this.#dropModelsOfWithdrawnKeys();
    const target = await predictionTarget(context, endpointId);
    const known = { target, checkedAtMs, usedAtMs: checkedAtMs };
    this.#known.set(endpointId, known);
    return known;
  }

  async #tendOnce(): Promise<void> {
    await this.#attempt('Deployments could not be compared.', () =>
      this.#noticeOutage(() => this.#compare()),
    );
    await this.#attempt('Counts of predictions could not be written.', () => this.#writeCounts());
    await this.#attempt('Counts of requests could not be written.', () =>
      this.tally.write(this.#services.database),
    );
    await this.#attempt('Endpoints could not be kept ready.', () => this.#kept.tend());
    await this.#attempt('How ready endpoints are could not be told.', () => this.#board.tend());
  }

  #forget(endpointId: string): void {
    this.#known.delete(endpointId);
  }

  async #compare(): Promise<void> {
    const nowMs = this.#services.clock.monotonicMs();
    for (const [endpointId, { usedAtMs }] of this.#known)
      if (nowMs - usedAtMs > idleMs) this.#forget(endpointId);
    if (this.#known.size === 0) return;
    const before = new Map(this.#known);
    await this.#dropModelsOfWithdrawnKeys();
    const counts = await currentChangeCounts(this.#services.database, [...before.keys()]);
    for (const [endpointId, known] of before) {
      if (counts.get(endpointId) === known.target.changeCount) known.checkedAtMs = nowMs;
      else if (this.#known.get(endpointId) === known) this.#forget(endpointId);
    }
  }

  async #dropModelsOfWithdrawnKeys(): Promise<void> {
    const count = await countWithdrawnKeys(this.#services);
    if (count === this.#withdrawnKeyCount) return;
    this.#withdrawnKeyCount = count;
    this.#models.clear();
  }

  async #noticeOutage<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#isDatabaseOut = false;
      return result;
    } catch (error) {
      this.#isDatabaseOut = isOutage(error);
      throw error;
    }
  }

  async #writeCounts(): Promise<void> {
    const counts = this.#counts;
    if (counts.size === 0) return;
    this.#counts = new Map();
    try {
      await recordPredictions(this.#services.database, counts);
    } catch (error) {
      for (const [endpointId, count] of counts) this.count(endpointId, count);
      throw error;
    }
  }

  async #attempt(failure: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#services.log.warn({ error }, failure);
    }
  }
}

/** Versions are opened once for all endpoints, but where one says where. */
function nameOf({ serving }: Target, modelVersionId: string): string {
  return serving.place === 'automatic' ? modelVersionId : `${modelVersionId} ${serving.place}`;
}

/** What the records of a deployment's answers have in common. */
function streamOf(
  { workspaceId, projectId, endpointId, revision }: Target,
  { id: deploymentId, modelVersionId }: Target['deployments'][number],
  { fileSha256: modelFileSha256, fields }: OpenedVersion,
): LogStream {
  return {
    workspaceId,
    projectId,
    endpointId,
    deploymentId,
    revision,
    modelVersionId,
    modelFileSha256,
    fields,
  };
}

/** What row-level security says when it is asked; here it is memory that answers. */
function mayUse(context: Context, target: Target): boolean {
  const boundTo = boundProject(context);
  return target.workspaceId === context.workspaceId && (boundTo === null || boundTo === target.projectId);
}

/** The only project that the caller may reach; null: all of the workspace. */
function boundProject({ actor }: Context): string | null {
  return actor.kind === 'key' ? actor.projectId : null;
}

/** The deployment whose share of [0, 1) a hash of the request id falls into. */
function pick({ endpointId, deployments }: Target, requestId: string): Target['deployments'][number] {
  let left = hash32(requestId) / 4_294_967_296;
  const open = deployments.filter(({ trafficShare }) => trafficShare > 0);
  for (const deployment of open) {
    left -= deployment.trafficShare;
    if (left < 0) return deployment;
  }
  const last = open.at(-1);
  if (last) return last;
  throw new Problem('endpoint-not-ready', `No version answers for the endpoint ${endpointId}.`);
}

/** The deployment of a version, whatever its share. */
function deployed({ deployments }: Target, modelVersionId: string): Target['deployments'][number] {
  const found = deployments.find((deployment) => deployment.modelVersionId === modelVersionId);
  if (found) return found;
  throw new Problem('not-found', `The model version ${modelVersionId} does not answer for this endpoint.`);
}

function noSuchEndpoint(endpointId: string): Problem {
  return new Problem('not-found', `There is no endpoint ${endpointId}.`);
}
