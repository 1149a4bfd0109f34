// Blobs in an S3 bucket, any service that speaks the protocol. Objects are named by their SHA-256: `blobs/ab/abcd...`.
//
// Bytes go to the local copies first, which finds their address (blob-copies.ts), then to the bucket in one request or
// in parts; the service shows an object only when it is complete, and checks the hash of all it is sent.
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { isSha256, type Sha256 } from '../../base/hash.ts';
import { Problem } from '../../base/problems.ts';
import type { BlobInfo, Blobs } from '../ports/blobs.ts';
import { openBlobCopies } from './blob-copies.ts';
import { openBucket, type Bucket, type BucketOptions } from './s3-bucket.ts';

const mib = 1_048_576;
/** Larger blobs travel in parts of this size. */
const partBytes = 16 * mib;
/** S3's own limit. */
const maxPartCount = 10_000;
const partsAtOnce = 3;
const defaultCacheBytes = 10 * 1024 * mib;

export interface S3BlobsOptions extends BucketOptions {
  /** Where copies are kept; may be removed while nothing runs. */
  cacheFolder: string;
  /** Bytes that copies may take; 10 GiB unless told. What is in use may exceed it for a while. */
  maxCacheBytes?: number;
}

/** Opens the bucket. Throws `unavailable` when it is not there or refuses the key. */
export async function openS3Blobs(options: S3BlobsOptions): Promise<Blobs> {
  const bucket = openBucket(options);
  await bucket.ping();
  await bucket.abortStaleUploads();
  const copies = await openBlobCopies(options.cacheFolder, options.maxCacheBytes ?? defaultCacheBytes);
  const { files } = copies;
  const fetches = new Map<Sha256, Promise<void>>();

  /** Brings a new copy to the bucket; it stays only if it got there. */
  async function upload(info: BlobInfo, signal?: AbortSignal): Promise<BlobInfo> {
    const { sha256, sizeBytes } = info;
    try {
      if ((await bucket.sizeOf(keyOf(sha256))) !== sizeBytes) {
        await send(bucket, await files.localPath(sha256), { ...info, signal });
      }
    } catch (error) {
      await files.remove(sha256);
      throw error;
    }
    await copies.added(info);
    return info;
  }

  async function download(sha256: Sha256): Promise<void> {
    const body = await bucket.getObject(keyOf(sha256));
    const found = await files.put(Readable.fromWeb(body as ReadableStream), { maxBytes: Infinity });
    if (found.sha256 !== sha256) {
      await files.remove(found.sha256);
      throw new Problem('unavailable', 'The file store sent other bytes than were stored.');
    }
    await copies.added(found);
  }

  return {
    put: async (source, limits) => upload(await files.put(source, limits), limits.signal),
    putFile: async (path) => upload(await files.putFile(path)),

    open: async (sha256, range) => {
      if (await copies.use(sha256)) return files.open(sha256, range);
      if (range && range.end <= range.start) {
        if ((await bucket.sizeOf(keyOf(sha256))) === undefined) throw noSuchBlob();
        return Readable.from([]);
      }
      return Readable.fromWeb((await bucket.getObject(keyOf(sha256), range)) as ReadableStream);
    },

    localPath: async (sha256) => {
      if (!(await copies.use(sha256))) {
        const fetching = fetches.get(sha256) ?? download(sha256).finally(() => fetches.delete(sha256));
        fetches.set(sha256, fetching);
        await fetching;
      }
      return files.localPath(sha256);
    },

    stat: async (sha256) => {
      if (!isSha256(sha256)) return undefined;
      const sizeBytes = await bucket.sizeOf(keyOf(sha256));
      return sizeBytes === undefined ? undefined : { sha256, sizeBytes };
    },

    remove: async (sha256) => {
      if (!isSha256(sha256)) return;
      await bucket.deleteObject(keyOf(sha256));
      await files.remove(sha256);
    },

    list: async function* () {
      for await (const { key, ...known } of bucket.listObjects(prefix)) {
        const sha256 = key.slice(key.lastIndexOf('/') + 1);
        if (isSha256(sha256)) yield { sha256, ...known };
      }
    },

    ping: () => bucket.ping(),
  };
}

/** Sends a local file, in parts when it is large. */
async function send(
  bucket: Bucket,
  path: string,
  { sha256, sizeBytes, signal }: BlobInfo & { signal: AbortSignal | undefined },
): Promise<void> {
  const file = await open(path);
  const read = async (start: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    if (signal?.aborted) throw new Problem('cancelled', 'The transfer was stopped before its end.');
    const bytes = new Uint8Array(length);
    await file.read(bytes, 0, length, start);
    return bytes;
  };
  try {
    if (sizeBytes <= partBytes) return await bucket.putObject(keyOf(sha256), await read(0, sizeBytes));
    const size = Math.max(partBytes, Math.ceil(sizeBytes / maxPartCount));
    const parts = Array.from({ length: Math.ceil(sizeBytes / size) }, (_, index) => () => {
      const start = index * size;
      return read(start, Math.min(size, sizeBytes - start));
    });
    await bucket.putInParts(keyOf(sha256), parts, partsAtOnce);
  } finally {
    await file.close();
  }
}

const prefix = 'blobs/';

function keyOf(sha256: Sha256): string {
  if (!isSha256(sha256)) throw noSuchBlob();
  return `${prefix}${sha256.slice(0, 2)}/${sha256}`;
}

function noSuchBlob(): Problem {
  return new Problem('not-found', 'There is no stored file with this address.');
}
