// The eight requests of the S3 protocol that blobs need, signed by aws4fetch
// (https://docs.aws.amazon.com/AmazonS3/latest/API/). Answers are XML of a known form, of which a few fields are read.
// Sent by the package undici: the fetch of Node 24 ends the process when a service closes the connection behind an object
// that is still being read (https://github.com/nodejs/undici/issues/5360).
import { setTimeout as delay } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import type * as undici from 'undici';
import type { Response } from 'undici';
import { sha256 as hashOf } from '../../base/hash.ts';
import { Problem } from '../../base/problems.ts';
import { dayMs } from '../../base/time.ts';
import type { ByteRange } from '../ports/blobs.ts';

const maxAttemptCount = 5;
const firstRetryDelayMs = 100;

export interface BucketOptions {
  bucket: string;
  region: string;
  /** Address of the service; AWS unless told. */
  endpoint?: string | undefined;
  accessKeyId: string;
  secretAccessKey: string;
}

export type ReadPart = () => Promise<Uint8Array<ArrayBuffer>>;

export interface Bucket {
  /** Throws `unavailable` unless the bucket is there and takes the key. */
  ping(): Promise<void>;
  /** Bytes of an object, undefined when there is none. */
  sizeOf(key: string): Promise<number | undefined>;
  getObject(key: string, range?: ByteRange): Promise<ReadableStream<Uint8Array>>;
  putObject(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Sends an object in parts, each read when its turn comes; it is visible when all are there. */
  putInParts(
    key: string,
    parts: (() => Promise<Uint8Array<ArrayBuffer>>)[],
    partsAtOnce: number,
  ): Promise<void>;
  deleteObject(key: string): Promise<void>;
  listObjects(prefix: string): AsyncIterable<{ key: string; sizeBytes: number; storedAtMs: number }>;
  /** Ends uploads that crashed processes began more than a day ago: their parts cost money and show nowhere. */
  abortStaleUploads(): Promise<void>;
}

/** A bucket of one service. */
export function openBucket(options: BucketOptions): Bucket {
  const request = openRequests(options);
  const text: TextRequest = async (...what) => (await request(...what)).text();

  return {
    ping: async () => {
      await text('GET', '/?list-type=2&max-keys=1');
    },

    sizeOf: async (key) => {
      const response = await request('HEAD', `/${key}`, { accept: [404] });
      return response.status === 404 ? undefined : Number(response.headers.get('content-length'));
    },

    getObject: async (key, range) => {
      const headers = range ? { range: `bytes=${range.start}-${range.end - 1}` } : {};
      // 416: the object ends before the range begins.
      const { status, body } = await request('GET', `/${key}`, { headers, accept: range ? [416] : [] });
      return body && status !== 416 ? body : new Blob([]).stream();
    },

    putObject: async (key, bytes) => {
      await text('PUT', `/${key}`, { body: bytes });
    },

    putInParts: (key, parts, partsAtOnce) => putInParts(request, { key, parts, partsAtOnce }),

    deleteObject: async (key) => {
      await text('DELETE', `/${key}`, { accept: [404] });
    },

    listObjects: async function* (prefix) {
      let token = '';
      do {
        const next = token && `&continuation-token=${encodeURIComponent(token)}`;
        const page = await text('GET', `/?list-type=2&prefix=${encodeURIComponent(prefix)}${next}`);
        for (const item of tagsOf(page, 'Contents')) {
          yield {
            key: tagOf(item, 'Key'),
            sizeBytes: Number(tagOf(item, 'Size')),
            storedAtMs: Date.parse(tagOf(item, 'LastModified')),
          };
        }
        token = tagOf(page, 'NextContinuationToken');
      } while (token !== '');
    },

    abortStaleUploads: async () => {
      const page = await text('GET', '/?uploads=');
      for (const item of tagsOf(page, 'Upload')) {
        if (Date.now() - Date.parse(tagOf(item, 'Initiated')) < dayMs) continue;
        const path = `/${tagOf(item, 'Key')}?uploadId=${encodeURIComponent(tagOf(item, 'UploadId'))}`;
        await text('DELETE', path, { accept: [404] });
      }
    },
  };
}

type Request = (method: string, path: string, options?: RequestOptions) => Promise<Response>;
type TextRequest = (method: string, path: string, options?: RequestOptions) => Promise<string>;

interface RequestOptions {
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | string;
  /** Statuses that are an answer, not a failure. */
  accept?: number[];
}

interface Sender {
  fetch: typeof undici.fetch;
  dispatcher: undici.Dispatcher;
}

let sender: Promise<Sender> | undefined;

/**
 * The package's fetch with connections of its own. They have to be named: without, both fetches share the connections of
 * whichever was loaded first, and `sign` loads Node's.
 */
export function openSender(): Promise<Sender> {
  sender ??= import('undici').then(({ Agent, fetch }) => ({ fetch, dispatcher: new Agent() }));
  return sender;
}

/** Sends signed requests, again when the service or the way to it fails; an answer that is no success is thrown. */
function openRequests({ bucket, region, endpoint, accessKeyId, secretAccessKey }: BucketOptions): Request {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 0 });
  // Services of one's own are found by path; AWS by name, which is what it keeps supporting.
  const base = endpoint
    ? `${endpoint.replace(/\/$/, '')}/${bucket}`
    : `https://${bucket}.s3.${region}.amazonaws.com`;

  return async (method, path, { body, headers = {}, accept = [] } = {}) => {
    const signed = { ...headers, 'x-amz-content-sha256': await hashOf(body ?? '') };
    for (let attempt = 1; ; attempt++) {
      const isLast = attempt === maxAttemptCount;
      try {
        const { url, headers: sent } = await client.sign(`${base}${path}`, { method, headers: signed });
        const { fetch, dispatcher } = await openSender();
        const response = await fetch(url, {
          method,
          dispatcher,
          headers: Object.fromEntries(sent),
          ...(body && { body }),
        });
        if (response.ok || accept.includes(response.status)) return response;
        const isTransient = response.status >= 500 || response.status === 429;
        const problem = asProblem(response.status, await response.text());
        if (!isTransient || isLast) throw problem;
      } catch (cause) {
        if (cause instanceof Problem) throw cause;
        if (isLast)
          throw new Problem('unavailable', 'The file store does not answer.', {
            retryAfterSeconds: 5,
            cause,
          });
      }
      await delay(Math.random() * firstRetryDelayMs * 2 ** attempt);
    }
  };
}

async function putInParts(
  request: Request,
  { key, parts, partsAtOnce }: { key: string; parts: ReadPart[]; partsAtOnce: number },
): Promise<void> {
  const started = await (await request('POST', `/${key}?uploads=`)).text();
  const upload = `uploadId=${encodeURIComponent(tagOf(started, 'UploadId'))}`;
  const etags: string[] = [];
  let next = 0;
  const sendSome = async (): Promise<void> => {
    try {
      while (next < parts.length) {
        const index = next++;
        const path = `/${key}?partNumber=${index + 1}&${upload}`;
        const response = await request('PUT', path, { body: await parts[index]!() });
        await response.body?.cancel();
        etags[index] = response.headers.get('etag') ?? '';
      }
    } finally {
      next = parts.length; // When one fails, the others need not go on.
    }
  };
  try {
    const outcomes = await Promise.allSettled(Array.from({ length: partsAtOnce }, sendSome));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    const list = etags.map(
      (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    const answer = await (await request('POST', `/${key}?${upload}`, { body })).text();
    // It may begin to answer with 200 and fail after that.
    if (answer.includes('<Error>')) throw asProblem(500, answer);
  } catch (error) {
    await request('DELETE', `/${key}?${upload}`, { accept: [404] }).catch(() => {});
    throw error;
  }
}

function asProblem(status: number, answer: string): Problem {
  const code = tagOf(answer, 'Code') || String(status);
  const cause = new Error(`S3 answered ${status} ${code}: ${tagOf(answer, 'Message')}`);
  if (code === 'NoSuchKey')
    return new Problem('not-found', 'There is no stored file with this address.', { cause });
  if (status === 507) return new Problem('disk-full', 'The file store has no space left.', { cause });
  const detail =
    code === 'NoSuchBucket' || (status === 404 && answer === '')
      ? 'The bucket of the file store does not exist.'
      : status === 401 || status === 403
        ? `The file store refuses the access key (${code}).`
        : `The file store answered with an error (${code}).`;
  return new Problem('unavailable', detail, { retryAfterSeconds: 5, cause });
}

/** The text of the first element of this name; '' where there is none. */
function tagOf(xml: string, name: string): string {
  return (tagsOf(xml, name)[0] ?? '').replaceAll(/&(?:lt|gt|quot|apos|amp);/g, (entity) => entities[entity]!);
}

/** The content of each element of this name. S3's elements of interest have no attributes and do not nest. */
function tagsOf(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, 'gs'))].map((match) => match[1]!);
}

const entities: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&amp;': '&',
};
