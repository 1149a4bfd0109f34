// Endpoints that are to be ready before anyone asks: their models are opened when a server starts or the settings change, and
// their processes kept, on every server. A kept process is paid for by the minute, ahead; one that the budget does not
// allow any more is not kept, and the endpoint starts from zero as others do.
import { Problem } from '../../base/problems.ts';
import { minuteMs, secondMs } from '../../base/time.ts';
import type { Context, Services } from '../../platform/context.ts';
import { createContext } from '../../platform/context-factory.ts';
import type { ModelServers, ServedModel } from '../../platform/ports/model-servers.ts';
import { targetsKeptReady, type Target } from '../deploy/deploy.ts';

const lookEveryMs = 10 * secondMs;
/** Minutes reserved ahead for an endpoint at a time. */
const leaseQuantity = 5;

/** Opens a version; gives what processes serve, or null when it answers in this one. */
export type OpenVersion = (
  context: Context,
  target: Target,
  modelVersionId: string,
) => Promise<ServedModel | null>;

/** Why replicas are not kept, and since when. */
interface Refusal {
  atMs: number;
  detail: string;
}

type Kept = Parameters<ModelServers['keepReady']>[0][number];

export class KeptReady {
  readonly #services: Services;
  readonly #open: OpenVersion;
  /** By the name of the model: until when it is paid for, or not asked for again. */
  readonly #decided = new Map<string, { untilMs: number; refusal: Refusal | null }>();
  #lookedAtMs = -Infinity;
  #hasKept = false;

  constructor(services: Services, open: OpenVersion) {
    this.#services = services;
    this.#open = open;
  }

  /** Why the replicas of a model are not kept, if they are not. */
  refusalOf(name: string): Refusal | null {
    return this.#decided.get(name)?.refusal ?? null;
  }

  /** Looks, every ten seconds, which are to be kept. */
  async tend(): Promise<void> {
    const { database, clock, modelServers, log } = this.#services;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lookedAtMs < lookEveryMs) return;
    this.#lookedAtMs = nowMs;
    const kept: Kept[] = [];
    const wanted = new Set<string>();
    for (const target of await targetsKeptReady(database)) {
      const context = this.#contextFor(target);
      for (const { modelVersionId } of target.deployments.filter(({ trafficShare }) => trafficShare > 0))
        try {
          // oxlint-disable-next-line no-await-in-loop -- one model is opened after the other
          const model = await this.#open(context, target, modelVersionId);
          if (!model) continue;
          wanted.add(model.name);
          // oxlint-disable-next-line no-await-in-loop -- one ledger after the other
          if (await this.#isPaid(context, target, model.name))
            kept.push({ model, minReplicas: target.serving.minReplicas });
        } catch (error) {
          log.warn({ error, endpointId: target.endpointId }, 'an endpoint could not be made ready');
        }
    }
    for (const name of this.#decided.keys()) if (!wanted.has(name)) this.#decided.delete(name);
    if (kept.length > 0 || this.#hasKept) modelServers.keepReady(kept);
    this.#hasKept = kept.length > 0;
  }

  async #isPaid(context: Context, target: Target, name: string): Promise<boolean> {
    const nowMs = context.clock.monotonicMs();
    const decided = this.#decided.get(name);
    if (decided && nowMs < decided.untilMs) return decided.refusal === null;
    const { workspaceId, projectId, endpointId, serving } = target;
    const lease = context.meter.lease({
      payer: { workspaceId, projectId, keyId: null },
      unit: 'replica-minute',
      subjectId: endpointId,
      chunkQuantity: leaseQuantity * serving.minReplicas,
    });
    let refusal: Refusal | null = null;
    try {
      await lease.use(serving.minReplicas);
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'budget-exceeded')) throw error;
      const detail = `No replica is kept ready: ${error.message}`;
      context.log.warn({ endpointId }, detail);
      refusal = { atMs: context.clock.nowMs(), detail };
    }
    this.#decided.set(name, { untilMs: nowMs + minuteMs, refusal });
    return refusal === null;
  }

  #contextFor({ workspaceId, projectId }: Target): Context {
    return createContext(this.#services, {
      actor: { kind: 'system', id: 'system' },
      workspaceId,
      projectId,
      requestId: this.#services.newId('request'),
      signal: new AbortController().signal,
    });
  }
}
