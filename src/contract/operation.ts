// What an operation of the API is: a value. The server's routes, the OpenAPI document, the SDK, the command line and
// the reference in docs/ derive from these values; nothing else says what the API looks like.
import { z } from 'zod';
import type { ProblemCode } from '../base/problems.ts';
import type { PolicyAction } from './policy.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** What a request may bring besides its address. */
export interface RequestShape {
  /** Path parameters; every `{name}` of the path has one. */
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** A JSON body, at most 1 MiB unless `maxBodyBytes` says otherwise. */
  json?: z.ZodType;
  /** A body that is streamed to the handler instead of being read into memory: the media types it may have. */
  stream?: readonly string[];
  maxBodyBytes?: number;
}

/** What the answer is. */
export type ResponseShape =
  | { status: 200 | 201 | 202; json: z.ZodType }
  | { status: 204 }
  /** Server-sent events; `events` is the schema of each event's data. */
  | { status: 200; events: z.ZodType }
  /** Bytes of one of these media types. */
  | { status: 200; stream: readonly string[] };

/** One operation. */
export interface Operation<
  Request extends RequestShape = RequestShape,
  Response extends ResponseShape = ResponseShape,
> {
  /** camelCase, unique: the name of the SDK's function. */
  operationId: string;
  method: Method;
  /** Below /api/v1, with parameters as `{name}`. */
  path: string;
  summary: string;
  tag: string;
  /** Who may do it; checked before the handler runs. */
  policy: PolicyAction;
  request: Request;
  response: Response;
  /** The answer holds a secret that is shown once: it is not kept for retries with the same Idempotency-Key. */
  answerHoldsSecret?: true;
  /** Problems of its own, besides those that every operation can answer with. */
  problems: readonly ProblemCode[];
}

/** Declares an operation (identity; it is here for the types). */
export function operation<const Request extends RequestShape, const Response extends ResponseShape>(
  declaration: Operation<Request, Response>,
): Operation<Request, Response> {
  return declaration;
}

type ParsedPart<Request, Part extends keyof RequestShape> =
  Request extends Record<Part, infer Schema>
    ? Schema extends z.ZodType
      ? z.output<Schema>
      : object
    : object;

/** What a handler gets: path parameters and query members side by side, and the JSON body as `body`. */
export type InputOf<Op> =
  Op extends Operation<infer Request, ResponseShape>
    ? ParsedPart<Request, 'params'> &
        ParsedPart<Request, 'query'> &
        (Request extends { json: infer Body extends z.ZodType } ? { body: z.output<Body> } : object)
    : never;

/** What a JSON handler returns. */
export type OutputOf<Op> =
  Op extends Operation<RequestShape, infer Response>
    ? Response extends { json: infer Schema extends z.ZodType }
      ? z.input<Schema>
      : void
    : never;

/** What a caller may give where `Schema` is asked for: members with a default may be left out. */
export type SentFor<Schema> = Schema extends z.ZodType ? z.input<Schema> : never;

/** What a reader finds where `Schema` is promised. */
export type ReceivedFor<Schema> = Schema extends z.ZodType ? z.output<Schema> : never;

/** Path parameters of one id: `{datasetId: 'ds_...'}`. */
export function idParam<Name extends string>(name: Name): z.ZodObject<Record<Name, z.ZodString>> {
  return z.object({ [name]: z.string().min(1).max(64) } as Record<Name, z.ZodString>);
}

/** Query of a listing: newest first, with an opaque cursor. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('How many to return.'),
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before.'),
});

/** One page of `item`. */
export function page<Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; nextCursor: z.ZodNullable<z.ZodString> }> {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Ask for the next page with it; null on the last page.'),
  });
}

/** A name that people give: shown as it is, never used as a path. */
export const displayName = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(120, 'must have at most 120 characters')
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must not contain control characters');

/** A time, RFC 3339 in UTC. */
export const isoTime = z.string().describe('RFC 3339, UTC.');

/** A whole number of micro US dollars: 1 USD = 1,000,000. */
export const microUsd = z.number().int().describe('Micro US dollars: 1 USD = 1,000,000.');
