// Blobs: immutable bytes addressed by their SHA-256. Files by default, S3 by configuration.
//
// Guarantees every driver keeps (conformance: blobs.conformance.ts):
// - A blob exists whole or not at all: a crash, a full disk or an aborted stream leaves nothing that can be read.
// - The address is computed here, never taken from a caller; equal content is stored once.
// - No caller-supplied path reaches the file system or the bucket.
import type { Readable } from 'node:stream';
import type { Sha256 } from '../../base/hash.ts';

/** What is known of a stored blob. */
export interface BlobInfo {
  sha256: Sha256;
  sizeBytes: number;
}

/** A half-open range of bytes, as in HTTP `Range`. */
export interface ByteRange {
  start: number;
  /** First byte after the range. */
  end: number;
}

/** The blob port. */
export interface Blobs {
  /** Stores the stream. Throws `body-too-large` beyond `maxBytes`, `disk-full` when there is no space. */
  put(
    source: AsyncIterable<Uint8Array>,
    limits: { maxBytes: number; signal?: AbortSignal },
  ): Promise<BlobInfo>;
  /** Stores a finished local file; the driver may move it, so the caller gives it up. */
  putFile(path: string): Promise<BlobInfo>;
  /** Opens a blob; throws `not-found`. */
  open(sha256: Sha256, range?: ByteRange): Promise<Readable>;
  /** A local path to read the blob from, fetched and kept in a bounded cache where the store is remote. */
  localPath(sha256: Sha256): Promise<string>;
  stat(sha256: Sha256): Promise<BlobInfo | undefined>;
  /** Removes a blob that nothing refers to any more; removing what is not there is fine. */
  remove(sha256: Sha256): Promise<void>;
  /** Every stored blob, for the collection of what nothing refers to. */
  list(): AsyncIterable<BlobInfo & { storedAtMs: number }>;
  ping(): Promise<void>;
}
