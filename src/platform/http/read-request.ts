// Reads a request into the input of its operation: validated once, here; inside we trust types.
import type { z } from 'zod';
import type { HonoRequest } from 'hono';
import { Problem, type FieldError } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Operation } from '../../contract/operation.ts';
import { isPacked, unpacked } from './body-encoding.ts';

const defaultMaxJsonBytes = 1_048_576;

/** How long a body may take: a JSON body has to arrive within `jsonArrivalMs`, any has to keep moving. */
export interface Patience {
  jsonArrivalMs: number;
  stallMs: number;
}

export const patience: Patience = { jsonArrivalMs: 60 * secondMs, stallMs: 30 * secondMs };

/** The input of `operation` from `request`. Throws `invalid-request`, `malformed-body`, `body-too-large`, ... */
export async function readInput(
  operation: Operation,
  request: HonoRequest,
  { jsonArrivalMs, stallMs }: Patience,
): Promise<Record<string, unknown>> {
  const { params, query, json, stream } = operation.request;
  const input: Record<string, unknown> = {
    ...(params && (validated(params, storable(request.param()), '') as object)),
    ...(query && (validated(query, storable(request.query()), '') as object)),
  };
  if (json) {
    requireMediaType(request, ['application/json']);
    input.body = validated(
      json,
      await readJson(request, operation.request.maxBodyBytes ?? defaultMaxJsonBytes, {
        stallMs,
        deadlineMs: jsonArrivalMs,
      }),
      'body',
    );
  }
  if (stream) {
    requireMediaType(request, stream);
    const maxBytes = operation.request.maxBodyBytes ?? Number.POSITIVE_INFINITY;
    input.stream = readChunks(request, maxBytes, { stallMs });
    input.sizeBytes = isPacked(request.header('content-encoding')) ? undefined : contentLength(request);
  }
  return input;
}

/**
 * The whole body, unpacked, within `maxBytes`. Throws `body-too-large`, `request-timeout`, `unsupported-media-type`
 * (of an encoding) and `malformed-body`.
 */
export async function readBody(
  request: HonoRequest,
  maxBytes: number,
  { jsonArrivalMs, stallMs }: Patience,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const limits = { stallMs, deadlineMs: jsonArrivalMs };
  for await (const chunk of readChunks(request, maxBytes, limits)) chunks.push(chunk);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

/** `text` as JSON. Throws `malformed-body`, or `invalid-request` for texts in it that no database stores. */
export function parseJson(text: string): unknown {
  try {
    // Only an escape can bring in what is refused: most bodies need no second look.
    return /\\u(?:0000|d[89a-f])/i.test(text) ? storable(JSON.parse(text)) : JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(
      'malformed-body',
      text === '' ? 'The body is empty; JSON was expected.' : 'The body is not valid JSON in UTF-8.',
      { cause: error },
    );
  }
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

function requireMediaType(request: HonoRequest, accepted: readonly string[]): void {
  const given = request.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (!accepted.includes(given)) {
    throw new Problem(
      'unsupported-media-type',
      `Content-Type is ${given === '' ? 'missing' : `"${given.slice(0, 80)}"`}; this address takes ${accepted.join(' or ')}.`,
    );
  }
}

function contentLength(request: HonoRequest): number | undefined {
  const header = request.header('content-length');
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

async function readJson(request: HonoRequest, maxBytes: number, limits: ChunkLimits): Promise<unknown> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    for await (const chunk of readChunks(request, maxBytes, limits))
      text += decoder.decode(chunk, { stream: true });
    text += decoder.decode();
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed-body', 'The body is not valid JSON in UTF-8.', { cause: error });
  }
  return parseJson(text);
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

interface ChunkLimits {
  stallMs: number;
  deadlineMs?: number;
}

/** The chunks of a body, unpacked, at most `maxBytes`; a body that stalls or misses its deadline is given up. */
function readChunks(request: HonoRequest, maxBytes: number, limits: ChunkLimits): AsyncGenerator<Uint8Array> {
  const announced = contentLength(request);
  if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
  const sent = sentChunks(request.raw, maxBytes, limits);
  const encoding = request.header('content-encoding');
  return isPacked(encoding) ? unpacked(sent, { encoding, maxBytes }) : sent;
}

async function* sentChunks(
  request: Request,
  maxBytes: number,
  limits: ChunkLimits,
): AsyncGenerator<Uint8Array> {
  if (!request.body) return;
  const reader = request.body.getReader();
  let received = 0;
  let timer: NodeJS.Timeout | undefined;
  const giveUpAtMs =
    limits.deadlineMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + limits.deadlineMs;
  try {
    for (;;) {
      const waitMs = Math.max(0, Math.min(limits.stallMs, giveUpAtMs - performance.now()));
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Problem('request-timeout', 'The body stopped arriving.')),
          waitMs,
        );
      });
      // oxlint-disable-next-line no-await-in-loop -- chunks come one after the other
      const { done, value } = await Promise.race([reader.read(), late]);
      clearTimeout(timer);
      if (done) return;
      received += value.byteLength;
      if (received > maxBytes) throw tooLarge(maxBytes);
      yield value;
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => undefined);
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('body-too-large', `This address takes at most ${maxBytes} bytes.`);
}
