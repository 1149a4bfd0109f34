// Reads a request into the input of its operation: validated once, here; inside we trust types.
import type { z } from 'zod';
import { Problem, type FieldError } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Operation } from '../../contract/operation.ts';
import { isPacked } from './body-encoding.ts';

const defaultMaxJsonBytes = 1_048_576;

/** How long a body may take: a JSON body has to arrive within `jsonArrivalMs`, any has to keep moving. */
export interface Patience {
  jsonArrivalMs: number;
  stallMs: number;
}

export const patience: Patience = { jsonArrivalMs: 60 * secondMs, stallMs: 30 * secondMs };

/** A request as its carrier gives it: Hono's (web-request.ts) or Node's own message (direct.ts). */
export interface RequestSource {
  params(): Record<string, string>;
  query(): Record<string, string>;
  header(name: string): string | undefined;
  /** The chunks of the body; ends with a problem where `bounds` are passed. */
  chunks(bounds: BodyBounds): AsyncIterable<Uint8Array>;
  /** The whole body, likewise. */
  bytes(bounds: BodyBounds): Promise<Uint8Array>;
}

/** How large a body may be, how long it may stand still, and when it has to be there. */
export interface BodyBounds {
  maxBytes: number;
  stallMs: number;
  deadlineMs?: number;
}

/** The input of `operation` from `source`. Throws `invalid-request`, `malformed-body`, `body-too-large`, ... */
export async function readInput(
  operation: Operation,
  source: RequestSource,
  { jsonArrivalMs, stallMs }: Patience,
): Promise<Record<string, unknown>> {
  const { params, query, json, stream } = operation.request;
  const input: Record<string, unknown> = {
    ...(params && (validated(params, storable(source.params()), '') as object)),
    ...(query && (validated(query, storable(source.query()), '') as object)),
  };
  if (json) {
    requireMediaType(source, ['application/json']);
    const maxBytes = operation.request.maxBodyBytes ?? defaultMaxJsonBytes;
    const bytes = await readBody(source, maxBytes, { jsonArrivalMs, stallMs });
    input.body = validated(json, parseJson(bytes), 'body');
  }
  if (stream) {
    requireMediaType(source, stream);
    const maxBytes = operation.request.maxBodyBytes ?? Number.POSITIVE_INFINITY;
    const announced = refuseAnnounced(source, maxBytes);
    input.sizeBytes = isPacked(source.header('content-encoding')) ? undefined : announced;
    input.stream = source.chunks({ maxBytes, stallMs });
  }
  return input;
}

function validated(schema: z.ZodType, value: unknown, prefix: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors: FieldError[] = result.error.issues.slice(0, 50).map((issue) => ({
    field: [...(prefix ? [prefix] : []), ...issue.path.map(String)].join('.') || 'body',
    message: issue.message,
  }));
  const [first] = errors;
  throw new Problem(
    'invalid-request',
    first ? `${first.field}: ${first.message}` : 'The request does not match.',
    { errors },
  );
}

function requireMediaType(source: RequestSource, accepted: readonly string[]): void {
  const header = source.header('content-type') ?? '';
  if (accepted.includes(header)) return;
  const given = header.split(';', 1)[0]!.trim().toLowerCase();
  if (!accepted.includes(given)) {
    throw new Problem(
      'unsupported-media-type',
      `Content-Type is ${given === '' ? 'missing' : `"${given.slice(0, 80)}"`}; this address takes ${accepted.join(' or ')}.`,
    );
  }
}

/** The whole body, which has to be there in time, within `maxBytes`. Throws `body-too-large`, `request-timeout`. */
export async function readBody(
  source: RequestSource,
  maxBytes: number,
  { jsonArrivalMs, stallMs }: Patience,
): Promise<Uint8Array> {
  refuseAnnounced(source, maxBytes);
  return await source.bytes({ maxBytes, stallMs, deadlineMs: jsonArrivalMs });
}

/** What Content-Length says, if it says anything. Throws `body-too-large`. */
function refuseAnnounced(source: RequestSource, maxBytes: number): number | undefined {
  const header = source.header('content-length');
  if (header === undefined || !/^\d{1,15}$/.test(header)) return undefined;
  if (Number(header) > maxBytes) throw tooLarge(maxBytes);
  return Number(header);
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** A body or a line of it as JSON. Throws `malformed-body`, `invalid-request` for texts that no database stores. */
export function parseJson(content: Uint8Array | string): unknown {
  try {
    const text = typeof content === 'string' ? content : decoder.decode(content);
    // Only an escape can bring in what is refused: most bodies need no second look.
    return /\\u(?:0000|d[89a-f])/i.test(text) ? storable(JSON.parse(text)) : JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      'malformed-body',
      content.length === 0 ? 'The body is empty; JSON was expected.' : 'The body is not valid JSON in UTF-8.',
      { cause: error },
    );
  }
}

/** `value`, unless one of its texts or names has a character that no database stores: U+0000, half a surrogate pair. */
function storable<Value>(value: Value): Value {
  const texts: unknown[] = [value];
  // By a list and not by recursion: bodies may be nested deeper than the stack.
  for (let item = texts.pop(); item !== undefined || texts.length > 0; item = texts.pop()) {
    if (typeof item === 'string' && (item.includes('\0') || !item.isWellFormed())) {
      throw new Problem('invalid-request', 'A text holds U+0000 or half of a surrogate pair.', {
        errors: [{ field: 'body', message: 'must be Unicode text without U+0000' }],
      });
    }
    if (typeof item !== 'object' || item === null) continue;
    for (const [name, member] of Object.entries(item)) texts.push(name, member);
  }
  return value;
}

/** The problem of a body beyond its bound. */
export function tooLarge(maxBytes: number): Problem {
  return new Problem('body-too-large', `This address takes at most ${maxBytes} bytes.`);
}

/** The problem of a body that stands still, or is not there in time. */
export function tooSlow(): Problem {
  return new Problem('request-timeout', 'The body stopped arriving.');
}
