// The HTTP application: every route through the same gate in the same order -
// guard (Host, Origin, Sec-Fetch) -> identity -> policy -> input by schema -> handler -> answer by contract.
// A route without a policy, two routes at one address, or an operation without a route: the server does not start.
import type { IncomingMessage } from 'node:http';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context as HonoContext } from 'hono';
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { policyActions } from '../../contract/policy.ts';
import type { Operation } from '../../contract/operation.ts';
import { getApiDocument } from '../../contract/server.ts';
import type { Services } from '../context.ts';
import { Laps } from '../telemetry/laps.ts';
import { carryOut, type HttpOptions, type RequestFacts } from './carry-out.ts';
import { documentHeader, securitySchemes, toRouteConfig } from './openapi.ts';
import { serveProtocols, type Protocol } from './protocol.ts';
import { methodNotAllowed, respond, respondProblem, unknownAddress } from './respond.ts';
import { route, type Route } from './route.ts';
import { webSource } from './web-request.ts';

export interface AppOptions extends HttpOptions {
  /** Other people's protocols, beside the API. */
  protocols?: readonly Protocol[];
  version: string;
}

/** The API below /api/v1, its OpenAPI document, and problems for everything else below /api. */
export function createApp(options: AppOptions): OpenAPIHono {
  const { services, gate } = options;
  const app = new OpenAPIHono();
  app.onError((error, http) => respondProblem(http, error, requestIdOf(http), services.log));
  app.use(async (http, next) => {
    const facts = factsOf(http, options);
    http.set('requestId' as never, services.newId('request') as never);
    http.header('X-Request-Id', requestIdOf(http));
    for (const [name, value] of Object.entries(gate.headers(facts))) http.header(name, value);
    gate.guard(facts);
    await next();
  });

  const api = new OpenAPIHono();
  api.openAPIRegistry.registerComponent('securitySchemes', 'key', securitySchemes.key);
  api.openAPIRegistry.registerComponent('securitySchemes', 'session', securitySchemes.session);
  const document = route(getApiDocument, async () => ({
    ...api.getOpenAPI31Document(documentHeader(options.version)),
  }));
  const routes = [...options.routes, document];
  assertRoutes(routes);
  const methods = methodsByPath(routes);
  for (const each of routes) {
    const config = toRouteConfig(each.operation);
    const path = config.getRoutingPath();
    api.openAPIRegistry.registerPath(config);
    // The router hands HEAD to GET, but then streams would begin that nobody reads.
    api.on([each.operation.method.toUpperCase()], [path], (http) =>
      http.req.method === 'HEAD'
        ? refuseMethod(http, methods.get(path)!, services.log)
        : answer(http, each, options),
    );
  }
  for (const [path, allowed] of methods) {
    api.all(path, (http) => refuseMethod(http, allowed, services.log));
  }
  app.route('/api/v1', api);
  serveProtocols(app, options.protocols ?? [], {
    ...options,
    factsOf: (http) => factsOf(http, options),
    requestIdOf,
  });
  app.all('/api/*', (http) => {
    throw unknownAddress(http.req.path);
  });
  // What is not data is a page, and pages are read.
  app.notFound((http) => {
    if (isRead(http))
      return respondProblem(http, unknownAddress(http.req.path), requestIdOf(http), services.log);
    return refuseMethod(http, ['GET', 'HEAD'], services.log);
  });
  return app;
}

async function answer(http: HonoContext, route: Route, options: AppOptions): Promise<Response> {
  const requestId = requestIdOf(http);
  const { services, observe } = options;
  const laps = new Laps(services.clock);
  const traceparent = http.req.header('traceparent');
  const told = (status: number): void =>
    observe?.({ operation: route.operation, status, requestId, traceparent, laps });
  try {
    const signal = AbortSignal.any([http.req.raw.signal, options.stopping]);
    const output = await carryOut(route, options, {
      facts: factsOf(http, options),
      requestId,
      signal,
      source: webSource(http.req),
      laps,
      setHeader: (name, value) => http.header(name, value),
    });
    const answered = respond(http, route.operation, output, signal);
    told(answered.status);
    return answered;
  } catch (error) {
    const hasLeft = http.req.raw.signal.aborted && !(error instanceof Problem);
    const problem = hasLeft
      ? new Problem('cancelled', 'The caller left before the answer.', { cause: error })
      : error;
    const refused = respondProblem(http, problem, requestId, services.log);
    laps.end('rest');
    told(refused.status);
    return refused;
  }
}

/** What the gate needs to know of a request. */
export function factsOf(http: HonoContext, options: AppOptions): RequestFacts {
  const header = (name: string): string | undefined => http.req.header(name);
  // There is no connection where tests hand a request to the application.
  const peerAddress =
    (http.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress ?? '';
  return {
    method: http.req.method,
    path: http.req.path,
    header,
    clientAddress: options.clientAddress(header, peerAddress),
  };
}

/** 405 with the methods that the address takes (RFC 9110, 15.5.6), before anyone asks who it is. */
function refuseMethod(http: HonoContext, allowed: readonly string[], log: Services['log']): Response {
  http.header('Allow', allowed.join(', '));
  return respondProblem(http, methodNotAllowed(http.req.method, allowed), requestIdOf(http), log);
}

function isRead(http: HonoContext): boolean {
  return http.req.method === 'GET' || http.req.method === 'HEAD';
}

/** The methods of each address, as the router writes it. */
function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { operation } of routes) {
    const path = toRouteConfig(operation).getRoutingPath();
    found.set(path, [...(found.get(path) ?? []), operation.method.toUpperCase()]);
  }
  return found;
}

function requestIdOf(http: HonoContext): string {
  return (http.get('requestId' as never) as string | undefined) ?? '';
}

function assertRoutes(routes: readonly Route[]): void {
  const seen = new Set<string>();
  for (const { operation } of routes) {
    const address = addressOf(operation);
    assert(policyActions.includes(operation.policy), `${operation.operationId} has no policy`);
    assert(!seen.has(address), `two routes answer ${address}`);
    seen.add(address);
  }
}

function addressOf({ method, path }: Operation): string {
  return `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`;
}
