// Content-Encoding in both directions (RFC 9110, 8.4): packed bodies are unpacked as they arrive and given up as soon as
// they are larger than the address takes, so that a bomb costs no more than an honest body; answers are packed for those
// who ask, when they are large enough to be worth it.
import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import {
  brotliCompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  deflate,
  gzip,
} from 'node:zlib';
import { Problem } from '../../base/problems.ts';

const unpackers = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** Levels that pack some hundred megabytes a second: answers are made for one reader, once. */
const packers = {
  br: (content: Uint8Array) =>
    promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
  gzip: (content: Uint8Array) => promisify(gzip)(content, { level: 3 }),
  deflate: (content: Uint8Array) => promisify(deflate)(content, { level: 3 }),
};

/** What an answer can be packed as, the smallest first. */
export type Packing = keyof typeof packers;

/** Smaller answers stay as they are: they fit into a few packets either way. */
const worthPackingBytes = 16_384;

/** Whether `encoding`, a Content-Encoding header, says that a body is packed. */
export function isPacked(encoding: string | undefined): encoding is string {
  return encoding !== undefined && !['', 'identity'].includes(encoding.trim().toLowerCase());
}

/**
 * The chunks of a packed body, unpacked, at most `maxBytes` of them. Throws `unsupported-media-type` for an encoding that
 * is not taken, `body-too-large`, and `malformed-body` when the body is not what its header says.
 */
export async function* unpacked(
  chunks: AsyncIterable<Uint8Array>,
  { encoding, maxBytes }: { encoding: string; maxBytes: number },
): AsyncGenerator<Uint8Array> {
  const name = encoding.trim().toLowerCase();
  if (!Object.hasOwn(unpackers, name))
    throw new Problem(
      'unsupported-media-type',
      `Content-Encoding is "${name.slice(0, 80)}"; gzip, deflate and br are taken.`,
    );
  const source = Readable.from(chunks, { objectMode: false });
  const unpacker = unpackers[name as keyof typeof unpackers]();
  // What goes wrong on either side ends the iteration below.
  pipeline(source, unpacker, () => undefined);
  let sizeBytes = 0;
  try {
    for await (const chunk of unpacker as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes)
        throw new Problem('body-too-large', `This address takes at most ${maxBytes} bytes, unpacked.`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem('malformed-body', `The body is not valid ${name}, or was cut off.`, { cause: error });
  } finally {
    source.destroy();
    unpacker.destroy();
  }
}

/** The packing of an answer of `sizeBytes` for a reader with this Accept-Encoding header; undefined: none. */
export function packingFor(acceptEncoding: string | undefined, sizeBytes: number): Packing | undefined {
  if (acceptEncoding === undefined || sizeBytes < worthPackingBytes) return undefined;
  const accepted = new Set(
    acceptEncoding
      .split(',')
      .map((part) => part.trim().toLowerCase())
      .filter((part) => !/;\s*q=0(\.0*)?$/.test(part))
      .map((part) => part.split(';', 1)[0]!.trim()),
  );
  return (Object.keys(packers) as Packing[]).find((name) => accepted.has(name));
}

/** `content` as `packing` has it. */
export async function pack(content: Uint8Array, packing: Packing): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await packers[packing](content));
}
