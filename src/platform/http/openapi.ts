// From the contract's operations to OpenAPI 3.1, by way of @hono/zod-openapi's route values.
import { createRoute, type RouteConfig } from '@hono/zod-openapi';
import { problemKinds, type ProblemCode } from '../../base/problems.ts';
import type { Operation } from '../../contract/operation.ts';
import { problemSchema } from '../../contract/problem.ts';
import { takesIdempotencyKey } from './idempotency.ts';

/** Problems that any operation can answer with, besides its own. */
const commonProblems: readonly ProblemCode[] = [
  'invalid-request',
  'not-signed-in',
  'not-allowed',
  'cross-site-request',
  'method-not-allowed',
  'host-not-allowed',
  'too-many-requests',
  'internal',
  'unavailable',
];

/** Problems of anything that has a body, and of anything that may be sent again with an Idempotency-Key. */
const bodyProblems: readonly ProblemCode[] = [
  'malformed-body',
  'unsupported-media-type',
  'body-too-large',
  'request-timeout',
];
const retryProblems: readonly ProblemCode[] = ['idempotency-key-reused', 'request-in-progress'];

/** Every problem that `operation` can answer with. */
export function problemsOf(operation: Operation): Set<ProblemCode> {
  const { json, stream } = operation.request;
  return new Set([
    ...operation.problems,
    ...commonProblems,
    ...(json || stream ? bodyProblems : []),
    ...(takesIdempotencyKey(operation) ? retryProblems : []),
  ]);
}

/** What the API document says of itself. */
export function documentHeader(version: string) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pilvi',
      version,
      description:
        'A machine-learning cloud that fits in one process: data, training, registry, deployment, prediction.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ key: [] }, { session: [] }],
  };
}

/** How requests are signed in, as OpenAPI security schemes. */
export const securitySchemes = {
  key: { type: 'http', scheme: 'bearer', description: 'A key made under Workspace > Keys.' },
  session: {
    type: 'apiKey',
    in: 'cookie',
    name: 'pilvi_session',
    description: 'The cookie of a signed-in browser.',
  },
} as const;

/** The operation as a route value of @hono/zod-openapi. */
export function toRouteConfig(operation: Operation) {
  const { request, response } = operation;
  const body = request.json
    ? { content: { 'application/json': { schema: request.json } }, required: true }
    : request.stream
      ? {
          content: Object.fromEntries(
            request.stream.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
          ),
          required: true,
        }
      : undefined;
  const config: RouteConfig = {
    operationId: operation.operationId,
    method: operation.method,
    path: operation.path,
    summary: operation.summary,
    tags: [operation.tag],
    'x-policy': operation.policy,
    ...(operation.policy === 'public' && { security: [] }),
    request: {
      ...(request.params && { params: request.params }),
      ...(request.query && { query: request.query }),
      ...(body && { body: body as never }),
    },
    responses: {
      [response.status]: successResponse(operation),
      ...problemResponses(operation),
    } as RouteConfig['responses'],
  };
  return createRoute(config);
}

function successResponse({ response, summary }: Operation): object {
  if ('json' in response)
    return { description: summary, content: { 'application/json': { schema: response.json } } };
  if ('events' in response)
    return {
      description: `${summary}. Each event's data:`,
      content: { 'text/event-stream': { schema: response.events } },
    };
  if ('stream' in response) {
    return {
      description: summary,
      content: Object.fromEntries(
        response.stream.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
      ),
    };
  }
  return { description: 'Done.' };
}

function problemResponses(operation: Operation): Record<number, object> {
  const codesByStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(operation)) {
    const { status } = problemKinds[code];
    codesByStatus.set(status, [...(codesByStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...codesByStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}.`).join(' '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}
