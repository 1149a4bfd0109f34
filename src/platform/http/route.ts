// A route is an operation of the contract with its handler. Handlers are a few lines: they call an operation of their
// stage and return what the contract says. Reading, validating, policy, problems and answers are the server's work.
import type { Readable } from 'node:stream';
import type { InputOf, Operation, OutputOf, RequestShape, ResponseShape } from '../../contract/operation.ts';
import { assert } from '../../base/assert.ts';
import type { Context } from '../context.ts';

/** A streamed request body: `input.stream` of operations that declare one. */
export interface StreamInput {
  stream: AsyncIterable<Uint8Array>;
  /** What Content-Length says, if it says anything. */
  sizeBytes: number | undefined;
}

/** A streamed answer. */
export interface StreamOutput {
  contentType: string;
  body: Readable | AsyncIterable<Uint8Array | string>;
  sizeBytes?: number;
  /** Offered to browsers as the name to save under. */
  fileName?: string;
}

/** One server-sent event; `data` matches the schema in the contract. */
export interface EventOutput {
  id: number;
  event: string;
  data: unknown;
}

/** The parts of the HTTP exchange that few handlers need. */
export interface Exchange {
  clientAddress: string;
  requestHeader(name: string): string | undefined;
  /** Sets a header of the answer, such as Set-Cookie. */
  setHeader(name: string, value: string): void;
}

type HandlerInput<Op> = InputOf<Op> &
  (Op extends Operation<infer Request, ResponseShape>
    ? Request extends { stream: readonly string[] }
      ? StreamInput
      : object
    : never);

type HandlerOutput<Op> =
  Op extends Operation<RequestShape, infer Response>
    ? Response extends { events: unknown }
      ? AsyncIterable<EventOutput>
      : Response extends { stream: readonly string[] }
        ? StreamOutput
        : OutputOf<Op>
    : never;

/** An operation with its handler. */
export interface Route {
  operation: Operation;
  handle(context: Context, input: never, exchange: Exchange): Promise<unknown>;
  /** Asked so often that it is answered on Node's own message (direct.ts): a POST of JSON that answers with JSON. */
  direct?: true;
}

/** Binds a handler to an operation, with both ends typed by the contract. */
export function route<Op extends Operation>(
  operation: Op,
  handle: (context: Context, input: HandlerInput<Op>, exchange: Exchange) => Promise<HandlerOutput<Op>>,
): Route {
  return { operation, handle };
}

/** {@link route} for what is asked thousands of times a second; see {@link Route.direct}. */
export function directRoute<Op extends Operation>(...binding: Parameters<typeof route<Op>>): Route {
  const { method, request, response } = binding[0];
  assert(
    method === 'post' && request.json && !request.query && 'json' in response,
    'the short way in is for POST with JSON on both ends',
  );
  return { ...route(...binding), direct: true };
}
