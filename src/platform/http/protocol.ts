// Other people's protocols: addresses outside /api/v1 with bodies, answers and errors of their own kind. They pass the
// same gate as the operations of the contract, in the same order: guard -> identity -> policy -> body within its limit
// -> handler. What they mean is the work of src/protocols.
import type { Context as HonoContext, Hono } from 'hono';
import { Problem } from '../../base/problems.ts';
import type { PolicyAction } from '../../contract/policy.ts';
import type { Context } from '../context.ts';
import { Laps } from '../telemetry/laps.ts';
import type { HttpOptions, ObservedOperation, RequestFacts } from './carry-out.ts';
import { pack, packingFor } from './body-encoding.ts';
import { patience, readBody } from './read-request.ts';
import { methodNotAllowed, tellProblem, unknownAddress } from './respond.ts';
import { webSource } from './web-request.ts';

/** What a handler reads of a request. */
export interface ProtocolRequest {
  /** Parameters of the address by name. */
  params: Readonly<Record<string, string>>;
  header(name: string): string | undefined;
  /** The whole body, unpacked. */
  body: Uint8Array;
}

export interface ProtocolAnswer {
  status: number;
  headers?: Record<string, string>;
  body: string | Uint8Array;
}

/** One address. */
export interface ProtocolRoute {
  method: 'get' | 'post';
  /** From the root, with parameters as `{name}`; the last one may be followed by `:verb`. */
  path: string;
  /** Who may ask; checked before the body is read. */
  policy: PolicyAction;
  handle(context: Context, request: ProtocolRequest): Promise<ProtocolAnswer>;
}

/** A protocol: its addresses, and how it tells that something is wrong. */
export interface Protocol {
  name: string;
  /** Every address below is the protocol's; those that no route has are refused in its words. */
  base: string;
  routes: readonly ProtocolRoute[];
  refuse(problem: Problem): ProtocolAnswer;
  /** Where clients carry our key when `Authorization` is taken by another scheme. */
  keyHeader?: string;
}

type ServeOptions = Pick<
  HttpOptions,
  'services' | 'gate' | 'createContext' | 'stopping' | 'patience' | 'observe'
> & {
  factsOf(http: HonoContext): RequestFacts;
  requestIdOf(http: HonoContext): string;
};

/** As much as an address of ours takes in one request of rows. */
const maxBodyBytes = 33_554_432;

/** Serves `protocols` from `app`, behind its middleware. */
export function serveProtocols(
  app: Pick<Hono, 'on' | 'all'>,
  protocols: readonly Protocol[],
  options: ServeOptions,
): void {
  for (const protocol of protocols) {
    const refuse = (http: HonoContext, error: unknown): Promise<Response> => {
      const { problem, headers } = tellProblem(error, options.requestIdOf(http), options.services.log);
      const { headers: own, ...refusal } = protocol.refuse(problem);
      return send(http, { ...refusal, headers: { ...own, ...headers } });
    };
    for (const route of protocol.routes) {
      const path = routerPath(route.path);
      const operation: ObservedOperation = {
        operationId: protocol.name,
        method: route.method,
        path: route.path,
        isProtocol: true,
      };
      app.on([route.method.toUpperCase()], [path], async (http) => {
        const laps = new Laps(options.services.clock);
        const answered = await answer(http, { protocol, route, laps }, options).catch((error: unknown) =>
          refuse(http, error),
        );
        laps.end('rest');
        const { status } = answered;
        const traceparent = http.req.header('traceparent');
        options.observe?.({ operation, status, requestId: options.requestIdOf(http), traceparent, laps });
        return answered;
      });
      app.all(path, (http) => {
        const allowed = [route.method.toUpperCase()];
        http.header('Allow', allowed.join(', '));
        return refuse(http, methodNotAllowed(http.req.method, allowed));
      });
    }
    app.all(`${protocol.base}/*`, (http) => refuse(http, unknownAddress(http.req.path)));
  }
}

/** The path as the router writes it: `{name}` as `:name`, and a verb behind it as a pattern. */
export function routerPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}(:\w+)?/g, (_, name: string, verb?: string) =>
    verb === undefined ? `:${name}` : `:${name}{[^/]+${verb}}`,
  );
}

async function answer(
  http: HonoContext,
  { protocol, route, laps }: { protocol: Protocol; route: ProtocolRoute; laps: Laps },
  options: ServeOptions,
): Promise<Response> {
  const { gate, createContext, stopping, requestIdOf } = options;
  try {
    const identity = await gate.admit(withKeyOf(options.factsOf(http), protocol), route.policy);
    laps.end('gate');
    const signal = AbortSignal.any([http.req.raw.signal, stopping]);
    const context = createContext({ ...identity, requestId: requestIdOf(http), signal, laps });
    const body =
      route.method === 'post'
        ? await readBody(webSource(http.req), maxBodyBytes, options.patience ?? patience)
        : new Uint8Array();
    laps.end('body');
    const request = { params: paramsOf(http, route), header: (name: string) => http.req.header(name), body };
    const answered = await route.handle(context, request);
    laps.end('rest');
    http.header('Server-Timing', laps.serverTiming());
    return await send(http, answered);
  } catch (error) {
    const hasLeft = http.req.raw.signal.aborted && !(error instanceof Problem);
    throw hasLeft ? new Problem('cancelled', 'The caller left before the answer.', { cause: error }) : error;
  }
}

async function send(http: HonoContext, { status, headers, body }: ProtocolAnswer): Promise<Response> {
  const content = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const packing = packingFor(http.req.header('accept-encoding'), content.byteLength);
  return http.body(
    packing ? await pack(content, packing) : (content as Uint8Array<ArrayBuffer>),
    status as 200,
    {
      'Cache-Control': 'no-store',
      ...headers,
      ...(packing && { 'Content-Encoding': packing, Vary: 'Accept-Encoding' }),
    },
  );
}

/** The facts, with the key as a bearer token where the protocol's clients carry it in a header of their own. */
function withKeyOf(facts: RequestFacts, { keyHeader }: Protocol): RequestFacts {
  const key = keyHeader === undefined ? undefined : facts.header(keyHeader);
  if (key === undefined || /^bearer /i.test(facts.header('authorization') ?? '')) return facts;
  return {
    ...facts,
    header: (name) => (name.toLowerCase() === 'authorization' ? `Bearer ${key}` : facts.header(name)),
  };
}

function paramsOf(http: HonoContext, { path }: ProtocolRoute): Record<string, string> {
  const verb = /\}(:\w+)$/.exec(path)?.[1];
  const given = Object.entries(http.req.param() as Record<string, string>);
  return Object.fromEntries(
    given.map(([name, value]) => [
      name,
      verb !== undefined && path.endsWith(`{${name}}${verb}`) ? value.slice(0, -verb.length) : value,
    ]),
  );
}
