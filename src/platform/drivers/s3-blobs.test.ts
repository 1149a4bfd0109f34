// Blobs in S3: the port's promises against a real server, and what only a remote store has: caches, failures on the
// way, keys that are refused.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { suite, test, type TestContext } from 'node:test';
import { AwsClient } from 'aws4fetch';
import type { Response } from 'undici';
import { freePort } from '../../../test/throwaway.ts';
import { blobsConformance } from './blobs.conformance.ts';
import { openS3Blobs } from './s3-blobs.ts';
import { openSender } from './s3-bucket.ts';

const mib = 1_048_576;
const endpoint = process.env['PILVI_TEST_S3_ENDPOINT'];
const keys = {
  region: 'us-east-1',
  accessKeyId: process.env['PILVI_TEST_S3_ACCESS_KEY_ID'] ?? '',
  secretAccessKey: process.env['PILVI_TEST_S3_SECRET_ACCESS_KEY'] ?? '',
};
const unlimited = { maxBytes: Infinity };

/** Sends a signed request to the server, past the driver; by undici for the reason that s3-bucket.ts has. */
async function raw(method: string, path: string, body?: string): Promise<Response> {
  const client = new AwsClient({ ...keys, service: 's3', retries: 0 });
  const { url, headers } = await client.sign(`${endpoint}${path}`, { method, ...(body && { body }) });
  const { fetch, dispatcher } = await openSender();
  return await fetch(url, {
    method,
    dispatcher,
    headers: Object.fromEntries(headers),
    ...(body && { body }),
  });
}

async function makeBucket(): Promise<string> {
  const bucket = `pilvi-${randomUUID()}`;
  assert.ok((await raw('PUT', `/${bucket}`)).ok);
  return bucket;
}

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function pendingUploads(bucket: string): Promise<string[]> {
  return (await (await raw('GET', `/${bucket}?uploads=`)).text()).match(/<UploadId>/g) ?? [];
}

if (endpoint === undefined) {
  test('S3', { skip: 'PILVI_TEST_S3_ENDPOINT is not set: run through test/with-s3.ts' });
} else {
  blobsConformance('S3 objects', async () => {
    const bucket = await makeBucket();
    const cacheFolder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
    return {
      blobs: await openS3Blobs({ ...keys, endpoint, bucket, cacheFolder }),
      leftovers: async () => [
        ...(await readdir(join(cacheFolder, 'staging'))),
        ...(await pendingUploads(bucket)),
      ],
      close: () => rm(cacheFolder, { recursive: true }),
    };
  });

  // The same suite for a process that has no copies: streams come from the server, paths after a download.
  blobsConformance('S3 objects stored by another process', async () => {
    const bucket = await makeBucket();
    const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
    const open = (name: string) =>
      openS3Blobs({ ...keys, endpoint, bucket, cacheFolder: join(folder, name) });
    const [writer, streaming, copying] = [
      await open('writer'),
      await open('streaming'),
      await open('copying'),
    ];
    return {
      blobs: {
        ...writer,
        open: streaming.open,
        localPath: copying.localPath,
        remove: async (sha256) => {
          for (const store of [writer, streaming, copying]) await store.remove(sha256);
        },
      },
      leftovers: () => pendingUploads(bucket),
      close: () => rm(folder, { recursive: true }),
    };
  });
}

suite('S3', { skip: endpoint === undefined && 'PILVI_TEST_S3_ENDPOINT is not set' }, () => {
  test('the cache is bounded, but keeps what was used within the hour', async (context) => {
    const cacheFolder = await temporaryFolder(context);
    const options = { ...keys, endpoint, bucket: await makeBucket(), cacheFolder, maxCacheBytes: 3 * mib };
    const blobs = await openS3Blobs(options);
    const put = async () => (await blobs.put(Readable.from([randomBytes(mib)]), unlimited)).sha256;
    const cached = async () =>
      (await readdir(join(cacheFolder, 'blobs'), { recursive: true }))
        .filter((name) => name.length > 60)
        .map((name) => name.slice(-64));

    const fresh = [await put(), await put(), await put(), await put(), await put()];
    assert.deepEqual((await cached()).sort(), fresh.sort());
    const old = new Date(Date.now() - 2 * 3_600_000);
    for (const sha256 of fresh) await utimes(await blobs.localPath(sha256), old, old);
    const used = fresh[2]!;
    await blobs.localPath(used);
    const last = await put();
    const left = await cached();
    assert.equal(left.length, 3);
    assert.ok(left.includes(used) && left.includes(last));
    for (const sha256 of fresh) assert.equal((await buffer(await blobs.open(sha256))).byteLength, mib);
  });

  test('what one process stored, another reads; both fetch a blob once', async (context) => {
    const bucket = await makeBucket();
    const open = async () =>
      openS3Blobs({ ...keys, endpoint, bucket, cacheFolder: await temporaryFolder(context) });
    const [writer, reader] = [await open(), await open()];
    const { sha256 } = await writer.put(Readable.from([randomBytes(mib)]), unlimited);
    const paths = await Promise.all(Array.from({ length: 5 }, () => reader.localPath(sha256)));
    assert.equal(new Set(paths).size, 1);
  });

  test('a service that stumbles is asked again; one that stays down leaves no parts behind', async (context) => {
    const bucket = await makeBucket();
    let failEvery = 3;
    let count = 0;
    const proxy = await startProxy(context, endpoint!, () => ++count % failEvery === 0);
    const cacheFolder = await temporaryFolder(context);
    const blobs = await openS3Blobs({ ...keys, endpoint: proxy, bucket, cacheFolder });
    const bytes = randomBytes(40 * mib);
    const { sha256 } = await blobs.put(Readable.from([bytes]), unlimited);
    assert.ok(count > 6);
    failEvery = Infinity;
    await rm(join(cacheFolder, 'blobs', sha256.slice(0, 2)), { recursive: true });
    assert.ok((await buffer(await blobs.open(sha256))).equals(bytes));

    // Parts are refused from the second on; giving up is let through.
    failEvery = 1;
    const isPart = (incoming: IncomingMessage): boolean =>
      incoming.method === 'PUT' && /partNumber=[^1]/.test(incoming.url ?? '');
    const failing = await startProxy(context, endpoint!, isPart);
    const other = await openS3Blobs({
      ...keys,
      endpoint: failing,
      bucket,
      cacheFolder: await temporaryFolder(context),
    });
    await assert.rejects(other.put(Readable.from([randomBytes(40 * mib)]), unlimited), {
      code: 'unavailable',
    });
    assert.deepEqual(await pendingUploads(bucket), []);
    assert.equal((await Array.fromAsync(other.list())).length, 1);
  });

  test('bytes that changed on the way are refused', async (context) => {
    const bucket = await makeBucket();
    const options = { ...keys, endpoint, bucket };
    const blobs = await openS3Blobs({ ...options, cacheFolder: await temporaryFolder(context) });
    const { sha256 } = await blobs.put(Readable.from([Buffer.from('right')]), unlimited);
    const key = `/${bucket}/blobs/${sha256.slice(0, 2)}/${sha256}`;
    assert.ok((await raw('PUT', key, 'wrong')).ok);
    const cacheFolder = await temporaryFolder(context);
    const reader = await openS3Blobs({ ...options, cacheFolder });
    await assert.rejects(reader.localPath(sha256), { code: 'unavailable' });
    assert.deepEqual(
      (await readdir(cacheFolder, { recursive: true })).filter((name) => name.length > 64),
      [],
    );
  });

  test('a file that could not be sent does not stay in the cache', async (context) => {
    const bucket = await makeBucket();
    const proxy = await startProxy(context, endpoint!, (incoming) => incoming.method === 'PUT');
    const cacheFolder = await temporaryFolder(context);
    const blobs = await openS3Blobs({ ...keys, endpoint: proxy, bucket, cacheFolder });
    const path = join(await temporaryFolder(context), 'finished');
    await writeFile(path, 'content');
    await assert.rejects(blobs.putFile(path), { code: 'unavailable' });
    assert.deepEqual(await Array.fromAsync(blobs.list()), []);
    assert.deepEqual(
      (await readdir(cacheFolder, { recursive: true })).filter((name) => name.length > 64),
      [],
    );
  });

  test('a bucket that is not there, a key that is refused, a service that is away are told apart', async (context) => {
    const cacheFolder = await temporaryFolder(context);
    const noBucket = openS3Blobs({ ...keys, endpoint, bucket: `none-${randomUUID()}`, cacheFolder });
    await assert.rejects(noBucket, { code: 'unavailable', message: /bucket.* does not exist/ });
    const away = `http://127.0.0.1:${await freePort()}`;
    const noService = openS3Blobs({ ...keys, endpoint: away, bucket: 'any', cacheFolder });
    await assert.rejects(noService, { code: 'unavailable', message: /does not answer/ });
    const refusing = await startServer(context, (_incoming, answer) => {
      answer
        .writeHead(403)
        .end('<Error><Code>SignatureDoesNotMatch</Code><Message>x &amp; y</Message></Error>');
    });
    const noKey = openS3Blobs({ ...keys, endpoint: refusing, bucket: 'any', cacheFolder });
    await assert.rejects(noKey, {
      code: 'unavailable',
      message: /refuses the access key \(SignatureDoesNotMatch\)/,
    });
  });
});

/** A server in front of the real one that breaks requests on the way: every other by an error, every other by a cut. */
async function startProxy(
  context: TestContext,
  target: string,
  breaks: (incoming: IncomingMessage) => boolean,
): Promise<string> {
  let broken = 0;
  return startServer(context, (incoming, answer) => {
    if (breaks(incoming)) {
      if (++broken % 2 === 0) incoming.socket.destroy();
      else
        incoming.resume().on('end', () => answer.writeHead(503).end('<Error><Code>SlowDown</Code></Error>'));
      return;
    }
    const { method, headers, url } = incoming;
    // The signature covers the name that the client used, which moto does not check.
    const onward = request(`${target}${url}`, { method: method!, headers }, (response) => {
      answer.writeHead(response.statusCode!, response.headers);
      response.pipe(answer);
    });
    incoming.pipe(onward);
  });
}

async function startServer(
  context: TestContext,
  handle: (incoming: IncomingMessage, answer: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
