// What happens to every request that an operation answers, however it came (Hono's request: app.ts, Node's own message:
// direct.ts): who asks, may they, what do they send, the handler, once for each Idempotency-Key. One place, so that no
// way in knows a rule that another does not.
import type { PolicyAction } from '../../contract/policy.ts';
import type { Context, Services } from '../context.ts';
import type { Laps } from '../telemetry/laps.ts';
import { runOnce, takesIdempotencyKey } from './idempotency.ts';
import { patience, readInput, type Patience, type RequestSource } from './read-request.ts';
import type { Exchange, Route } from './route.ts';

/** What the gate needs to know of a request. */
export interface RequestFacts {
  method: string;
  path: string;
  header(name: string): string | undefined;
  clientAddress: string;
}

/** Who may pass: implemented by platform/security, handed in by the program. */
export interface Gate {
  /** Throws `host-not-allowed` or `cross-site-request`. Runs for every request, pages included. */
  guard(facts: RequestFacts): void;
  /** Who asks and whether they may do `action`; throws `not-signed-in` or `not-allowed`. */
  admit(
    facts: RequestFacts,
    action: PolicyAction,
  ): Promise<Pick<Context, 'actor' | 'workspaceId'> & { projectId: string | null }>;
  /** Headers that every answer carries; often the same object, which nobody changes. */
  headers(facts: RequestFacts): Readonly<Record<string, string>>;
}

/** What every way in works with. */
export interface HttpOptions {
  routes: readonly Route[];
  services: Services;
  gate: Gate;
  /** Makes the context of one request. */
  createContext(
    identity: Awaited<ReturnType<Gate['admit']>> & {
      requestId: string;
      readonly signal: AbortSignal;
      laps: Laps;
    },
  ): Context;
  /** Who asks: the peer of the connection, or whom a trusted proxy names. */
  clientAddress(header: RequestFacts['header'], peerAddress: string): string;
  /** Aborted when the server stops: streams end. */
  stopping: AbortSignal;
  /** How long bodies may take to arrive. */
  patience?: Patience;
  /** Told of every request that an operation answered, once its answer is made. */
  observe?(observed: Observed): void;
}

/** A request that was answered. */
/** An operation of ours, or an address of another protocol. */
export interface ObservedOperation {
  operationId: string;
  method: string;
  /** Below /api/v1; of a protocol from the root. */
  path: string;
  isProtocol?: true;
}

export interface Observed {
  /** The same object each time. */
  operation: ObservedOperation;
  status: number;
  requestId: string;
  traceparent: string | undefined;
  laps: Laps;
}

/** A request that passed the guard. */
export interface Arrival {
  facts: RequestFacts;
  requestId: string;
  /** Aborted when the caller has gone or the server is stopping; made when it is first asked for. */
  readonly signal: AbortSignal;
  source: RequestSource;
  laps: Laps;
  setHeader: Exchange['setHeader'];
}

/** What the handler of `route` returns for a request. Throws what the gate, reading the request or the handler throws. */
export async function carryOut(
  { operation, handle }: Route,
  { gate, createContext, patience: given = patience }: HttpOptions,
  arrival: Arrival,
): Promise<unknown> {
  const { facts, requestId, source, laps, setHeader } = arrival;
  const { actor, workspaceId, projectId } = await gate.admit(facts, operation.policy);
  laps.end('gate');
  const context = createContext({
    actor,
    workspaceId,
    projectId,
    requestId,
    laps,
    get signal() {
      return arrival.signal;
    },
  });
  const input = await readInput(operation, source, given);
  laps.end('body');
  const exchange = { clientAddress: facts.clientAddress, requestHeader: facts.header, setHeader };
  const work = (): Promise<unknown> => handle(context, input as never, exchange);
  const key = facts.header('idempotency-key');
  let output: unknown;
  if (key === undefined || !takesIdempotencyKey(operation)) output = await work();
  else {
    const answer = await runOnce(context, operation, { key, input }, work);
    if (answer.replayed) setHeader('Idempotency-Replayed', 'true');
    ({ output } = answer);
  }
  laps.end('rest');
  setHeader('Server-Timing', laps.serverTiming());
  return output;
}
