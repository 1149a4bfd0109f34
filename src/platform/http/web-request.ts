// A request as Hono carries it, for read-request.ts: its body is a web stream, read with back-pressure, and unpacked where
// it is packed.
import type { HonoRequest } from 'hono';
import { isPacked, unpacked } from './body-encoding.ts';
import { tooLarge, tooSlow, type BodyBounds, type RequestSource } from './read-request.ts';

export function webSource(request: HonoRequest): RequestSource {
  return {
    params: () => request.param(),
    query: () => request.query(),
    header: (name) => request.header(name),
    chunks: (bounds) => readChunks(request, bounds),
    bytes: async (bounds) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readChunks(request, bounds)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}

function readChunks(request: HonoRequest, bounds: BodyBounds): AsyncGenerator<Uint8Array> {
  const sent = sentChunks(request.raw, bounds);
  const encoding = request.header('content-encoding');
  return isPacked(encoding) ? unpacked(sent, { encoding, maxBytes: bounds.maxBytes }) : sent;
}

async function* sentChunks(
  request: Request,
  { maxBytes, stallMs, deadlineMs = Number.POSITIVE_INFINITY }: BodyBounds,
): AsyncGenerator<Uint8Array> {
  if (!request.body) return;
  const reader = request.body.getReader();
  let received = 0;
  let timer: NodeJS.Timeout | undefined;
  const giveUpAtMs = performance.now() + deadlineMs;
  try {
    for (;;) {
      const waitMs = Math.max(0, Math.min(stallMs, giveUpAtMs - performance.now()));
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(tooSlow()), waitMs);
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
