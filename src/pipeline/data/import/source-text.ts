// From the stored source to a local file that the data engine can parse: joins the parts, unpacks gzip within its
// limits, turns other encodings into UTF-8 and makes line ends alike. A source that needs none of it is read in place.
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { asProblem, Problem } from '../../../base/problems.ts';
import type { ImportOptions } from '../../../contract/dataset.ts';
import { decoderFor, type Encoding } from './encoding.ts';
import { formatBytes, type ImportLimits } from './source-limits.ts';
import { lineEndNormaliser } from './line-ends.ts';

export type Compression = NonNullable<ImportOptions['compression']>;

/** Unpacked bytes below which no ratio is too large: small files of repeated text are no attack. */
const ratioFloorBytes = 16 * 1_048_576;
const chunkBytes = 1_048_576;

/** The stored source: its parts in order. */
export interface Source {
  paths: readonly string[];
  compression: Compression;
}

/** What is done to the bytes on the way. */
export interface TextTreatment {
  encoding: Encoding;
  /** Whether CR LF and CR outside quotes become LF; the engine wants them all alike. */
  normalisesLineEnds: boolean;
  quote: string;
}

/** The first `count` bytes of the stored source, as they are. */
export async function readHead(paths: readonly string[], count: number): Promise<Uint8Array> {
  const head = Buffer.alloc(count);
  let filled = 0;
  for (const path of paths) {
    const file = await open(path);
    try {
      for (;;) {
        const { bytesRead } = await file.read(head, filled, count - filled);
        filled += bytesRead;
        if (bytesRead === 0 || filled === count) break;
      }
    } finally {
      await file.close();
    }
    if (filled === count) break;
  }
  return head.subarray(0, filled);
}

/** The first `count` bytes after unpacking; fewer when the source is shorter or ends damaged. */
export async function readUnpackedHead(
  source: Source,
  limits: ImportLimits,
  count: number,
): Promise<Uint8Array> {
  if (source.compression === 'none') return await readHead(source.paths, count);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of unpacked(source, limits)) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= count) break;
  }
  return Buffer.concat(chunks).subarray(0, count);
}

/** A path at which the whole source lies as bytes that need no unpacking. */
export async function unpackTo(source: Source, limits: ImportLimits, folder: string): Promise<string> {
  if (source.compression === 'none' && source.paths.length === 1) return source.paths[0]!;
  const path = join(folder, 'source');
  await writeAll(unpacked(source, limits), path);
  return path;
}

/** A path at which the text of the unpacked file `path` lies as UTF-8. */
export async function treatText(path: string, treatment: TextTreatment, folder: string): Promise<string> {
  const steps: Transform[] = [];
  if (treatment.encoding !== 'utf-8') steps.push(transcoder(treatment.encoding));
  if (treatment.normalisesLineEnds) steps.push(lineEndNormaliser(treatment.quote));
  if (steps.length === 0) return path;
  const target = join(folder, treatment.normalisesLineEnds ? 'normalised.txt' : 'text.txt');
  await guardDisk(() =>
    pipeline([createReadStream(path, { highWaterMark: chunkBytes }), ...steps, createWriteStream(target)]),
  );
  return target;
}

function transcoder(encoding: Encoding): Transform {
  const decoder = decoderFor(encoding);
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      done(null, Buffer.from(decoder.decode(chunk)));
    },
    flush(done: TransformCallback) {
      done(null, Buffer.from(decoder.end()));
    },
  });
}

async function writeAll(chunks: AsyncIterable<Buffer>, path: string): Promise<void> {
  await guardDisk(() => pipeline(chunks, createWriteStream(path)));
}

async function guardDisk(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const problem = asProblem(error);
    throw problem.code === 'internal' ? error : problem;
  }
}

async function* unpacked(source: Source, limits: ImportLimits): AsyncGenerator<Buffer> {
  const counted = countingStream();
  if (source.compression === 'none') {
    for await (const chunk of parts(source.paths)) yield limited(chunk, counted, limits);
    return;
  }
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  const feeding = pipeline(parts(source.paths), counted.transform, gunzip).catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield limited(chunk as Buffer, counted, limits);
  } catch (error) {
    throw error instanceof Problem ? error : damaged(error, counted.unpackedBytes);
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

interface Counted {
  transform: Transform;
  packedBytes: number;
  unpackedBytes: number;
}

function countingStream(): Counted {
  const counted: Counted = {
    packedBytes: 0,
    unpackedBytes: 0,
    transform: new Transform({
      transform(chunk: Buffer, _encoding, done: TransformCallback) {
        counted.packedBytes += chunk.length;
        done(null, chunk);
      },
    }),
  };
  return counted;
}

/** Counts `chunk`. @throws Problem `decompression-limit` when there has been too much */
function limited(chunk: Buffer, counted: Counted, limits: ImportLimits): Buffer {
  counted.unpackedBytes += chunk.length;
  const { packedBytes, unpackedBytes } = counted;
  if (unpackedBytes > limits.maxUploadBytes) {
    throw new Problem(
      'decompression-limit',
      `Unpacked, the file is larger than ${formatBytes(limits.maxUploadBytes)}.`,
    );
  }
  if (
    packedBytes > 0 &&
    unpackedBytes > Math.max(ratioFloorBytes, packedBytes * limits.maxDecompressionRatio)
  ) {
    throw new Problem(
      'decompression-limit',
      `The first ${formatBytes(packedBytes)} unpack to more than ${formatBytes(unpackedBytes)}: over ${limits.maxDecompressionRatio} times their size.`,
    );
  }
  return chunk;
}

async function* parts(paths: readonly string[]): AsyncGenerator<Buffer> {
  for (const path of paths) {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) yield chunk as Buffer;
  }
}

function damaged(error: unknown, unpackedBytes: number): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== 'string' || !code.startsWith('Z_')) return error;
  const where = `after ${formatBytes(unpackedBytes)} of unpacked data`;
  const detail =
    code === 'Z_BUF_ERROR' ? `The gzip data is cut short ${where}.` : `The gzip data is damaged ${where}.`;
  return new Problem('file-unreadable', detail, { cause: error });
}
