// Live events: server-sent events (WHATWG HTML, section 9.2) over `fetch`, as one async iterable that survives cuts.
// After a cut, or a minute without a sign of life, it connects again and asks to go on after the last event it gave
// out (Last-Event-ID), so that no event is lost or told twice. It ends after a job's final state.
import type { OperationEntry } from './operations.ts';
import { backOffMs, pause, send, type AnyInput, type Connection } from './send.ts';
import type { CallOptions } from './types.ts';

const silenceMs = 60_000;
const endStates = new Set<unknown>(['succeeded', 'failed', 'cancelled']);
/** Connections that may bring nothing, one after the other, before the stream counts as ended. */
const fruitlessLimit = 5;

/** The events of a `watch...` operation. @throws PilviError when it cannot connect, or the reason of the signal */
export async function* watch(
  connection: Connection,
  entry: OperationEntry,
  input: AnyInput,
  options: CallOptions = {},
): AsyncGenerator<unknown, void, undefined> {
  let lastId: string | undefined;
  for (let fruitless = 0; fruitless < fruitlessLimit; fruitless++) {
    if (fruitless > 0) await pause(backOffMs(fruitless, connection.retryDelayMs), options.signal);
    const headers = { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) };
    const response = await send(connection, entry, input, { ...options, headers });
    if (response.status === 204 || !response.body) return;
    for await (const event of untilCut(response.body, options.signal)) {
      fruitless = 0;
      if (event.id !== undefined) lastId = event.id;
      const data = JSON.parse(event.data) as unknown;
      yield data;
      if (isFinal(data)) return;
    }
  }
}

/** One event as it came over the wire. */
export interface WireEvent {
  id: string | undefined;
  data: string;
}

/** Takes the text of a stream apart, piece by piece; pieces may end anywhere. */
export function eventParser(): (piece: string) => WireEvent[] {
  let buffer = '';
  let id: string | undefined;
  let data: string[] = [];
  const readLine = (line: string): WireEvent | undefined => {
    if (line === '') {
      const event = data.length > 0 ? { id, data: data.join('\n') } : undefined;
      data = [];
      return event;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'id' && !value.includes('\0')) id = value;
    return undefined;
  };
  return (piece) => {
    buffer += piece;
    const events: WireEvent[] = [];
    // A carriage return at the very end may be the first half of a line end: it waits for the next piece.
    for (let match; (match = /\r\n|\n|\r(?!$)/.exec(buffer));) {
      const event = readLine(buffer.slice(0, match.index));
      if (event) events.push(event);
      buffer = buffer.slice(match.index + match[0].length);
    }
    return events;
  };
}

/** The events until the connection ends, breaks or falls silent. Only an abort by the caller is thrown. */
async function* untilCut(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<WireEvent, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parse = eventParser();
  try {
    for (;;) {
      const chunk = await readWithin(reader, silenceMs).catch(() => undefined);
      signal?.throwIfAborted();
      if (!chunk || chunk.done) return;
      yield* parse(decoder.decode(chunk.value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** The next chunk, or undefined after `limitMs` of silence. */
async function readWithin(
  reader: Reader,
  limitMs: number,
): Promise<Awaited<ReturnType<Reader['read']>> | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** A job's `state` event that nothing follows. */
function isFinal(data: unknown): boolean {
  const event = data as { name?: unknown; data?: { state?: unknown } } | null;
  return event?.name === 'state' && endStates.has(event.data?.state);
}
