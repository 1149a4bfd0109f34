// Requests that are too large, too slow, cut off, sent twice, or that try to leave the home folder: what the server
// takes, it takes whole or not at all; what it refuses costs it little; and nothing outside its home is touched.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './product.ts';
import { assertLeaksNothing, openServer, problemOf, type Answer, type TestServer } from './server.ts';
import { importTable, tableOf } from './world.ts';

const patience = { jsonArrivalMs: 4000, stallMs: 2000 };
const canary = 'the-canary-sings-at-dawn';
const mebibyte = 1_048_576;

let around: string;
let server: TestServer;
let projectId: string;

before(async () => {
  around = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  await Promise.all(['home', 'import', 'import-not'].map((name) => mkdir(join(around, name))));
  await writeFile(join(around, 'canary.csv'), `a,${canary}\n1,2\n`);
  await writeFile(join(around, 'import-not', 'canary.csv'), `a,${canary}\n1,2\n`);
  await writeFile(join(around, 'import', 'table.csv'), tableOf('inside'));
  await symlink(join(around, 'canary.csv'), join(around, 'import', 'link.csv'));
  await symlink(around, join(around, 'import', 'folder'));
  server = await openServer({
    home: join(around, 'home'),
    patience,
    environment: { PILVI_IMPORT_FOLDERS: join(around, 'import') },
  });
  projectId = (await server.client.listProjects({})).items[0]!.id;
});
after(async () => {
  await server?.close();
  await rm(around, { recursive: true, force: true });
});

/** A connection that sends exactly what it is told; what comes back is collected. */
interface Wire {
  socket: Socket;
  received(): string;
  /** The status of the answer, once it is there; 0 when the connection was closed instead. */
  status(): Promise<number>;
  /** The answer, once the server has closed the connection. */
  end(): Promise<Answer>;
}

async function openWire(head: string[]): Promise<Wire> {
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const isClosed = once(socket, 'close').catch(() => undefined);
  const status = async (): Promise<number> => {
    await until('the server answers', async () => text.includes('\r\n\r\n') || socket.destroyed, 20_000);
    return Number(text.slice(9, 12));
  };
  return {
    socket,
    received: () => text,
    status,
    end: async () => {
      await status();
      await isClosed;
      const [headers = '', body = ''] = text.split(/\r\n\r\n(.*)/s);
      const pairs = headers.split('\r\n').slice(1);
      return {
        status: await status(),
        headers: Object.fromEntries(
          pairs.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.replace(/^[^:]*: */, '')]),
        ),
        text: body,
        json: JSON.parse(/\{.*\}/s.exec(body)?.[0] ?? '{}') as Record<string, unknown>,
      };
    },
  };
}

function headOf(method: string, path: string, headers: Record<string, string>): string[] {
  const all = { host: `127.0.0.1:${server.port}`, authorization: `Bearer ${server.token}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method} /api/v1${path} HTTP/1.1`, ...lines];
}

const json = { 'content-type': 'application/json', connection: 'close' };

async function newUpload(sizeBytes: number | null = null): Promise<string> {
  const body = { fileName: 'table.csv', sizeBytes };
  return (await server.client.createUpload({ projectId, body })).id;
}

async function isServing(): Promise<void> {
  assert.equal((await server.ask({ path: '/api/v1/session' })).status, 200);
}

/** An address that reads JSON by the ordinary way, and one that reads it by the short way (platform/http/direct.ts). */
const waysIn = [
  { way: 'by the ordinary way', path: '/projects', limitBytes: mebibyte },
  { way: 'by the short way', path: '/endpoints/ep_nothing/predictions', limitBytes: 32 * mebibyte },
];

describe('bodies that are too large', () => {
  for (const { way, path, limitBytes } of waysIn) {
    test(`are refused by their announcement, before a byte of them was sent, ${way}`, async () => {
      const wire = await openWire(headOf('POST', path, { ...json, 'content-length': '104857600' }));
      assert.equal(problemOf(server, await wire.end()), 'body-too-large');
    });

    test(`are refused where the limit is when nothing was announced, ${way}`, async () => {
      const wire = await openWire(headOf('POST', path, { ...json, 'transfer-encoding': 'chunked' }));
      sendChunked(wire.socket, Buffer.alloc(limitBytes + mebibyte, ' '));
      assert.equal(problemOf(server, await wire.end()), 'body-too-large');
    });

    test(`do not fill the memory, however many are sent at once, ${way}`, async () => {
      const block = Buffer.alloc(mebibyte, ' ');
      const before = process.memoryUsage().rss;
      let greatest = 0;
      const flood = async (): Promise<void> => {
        const wire = await openWire(headOf('POST', path, { ...json, 'transfer-encoding': 'chunked' }));
        for (let sent = 0; sent < 100 && !wire.socket.destroyed; sent++) {
          if (!sendChunked(wire.socket, block))
            await Promise.race(['drain', 'close'].map((event) => once(wire.socket, event))).catch(
              () => undefined,
            );
          greatest = Math.max(greatest, process.memoryUsage().rss);
        }
        wire.socket.destroy();
        // Whoever goes on sending may find the connection closed before they read why; on a slow machine the larger
        // limit may lie behind the deadline.
        assert.ok([0, 408, 413].includes(await wire.status()));
      };
      await Promise.all(Array.from({ length: 8 }, flood));
      const bound = 8 * limitBytes + 200 * mebibyte;
      assert.ok(greatest - before < bound, `${(greatest - before) / mebibyte} MiB more`);
      await isServing();
    });
  }

  test('more than an upload announced is not kept', async () => {
    const uploadId = await newUpload(10);
    const answer = await server.ask({
      method: 'PUT',
      path: `/api/v1/uploads/${uploadId}/content`,
      headers: { 'content-type': 'application/octet-stream' },
      body: 'more than ten bytes',
    });
    assert.equal(problemOf(server, answer), 'body-too-large');
    assert.equal((await server.client.getUpload({ uploadId })).receivedBytes, 0);
  });

  test('headers beyond their limit are refused', async () => {
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`x-${at}`, 'x'.repeat(20)]));
    for (const headers of [{ 'x-long': 'x'.repeat(100_000) }, many]) {
      const wire = await openWire(headOf('GET', '/session', { connection: 'close', ...headers }));
      assert.ok([0, 431].includes(await wire.status()));
    }
    await isServing();
  });
});

describe('requests that two readers could read in two ways', () => {
  const heads: [string, string[]][] = [
    ['two lengths', ['content-length: 2', 'content-length: 3']],
    ['a length and chunks', ['content-length: 2', 'transfer-encoding: chunked']],
    ['an unknown transfer encoding', ['transfer-encoding: xchunked']],
    ['a negative length', ['content-length: -1']],
    ['two hosts', ['host: evil.example']],
    ['a folded header', ['x-a: 1', ' 2']],
    ['a space before the colon', ['x-a : 1']],
  ];
  for (const [what, lines] of heads) {
    test(`${what}: refused`, async () => {
      const wire = await openWire([...headOf('POST', '/projects', json), ...lines]);
      wire.socket.write('{}\r\n0\r\n\r\n');
      assert.equal(await wire.status(), 400);
      wire.socket.destroy();
    });
  }
});

describe('slow clients', () => {
  for (const { way, path } of waysIn) {
    test(`a body that was announced and never comes is given up, ${way}`, async () => {
      const wire = await openWire(headOf('POST', path, { ...json, 'content-length': '100' }));
      assert.equal(problemOf(server, await wire.end()), 'request-timeout');
    });

    test(`a JSON body that comes byte by byte is given up at its deadline, ${way}`, async () => {
      const wire = await openWire(headOf('POST', path, { ...json, 'content-length': '100000' }));
      const drip = setInterval(() => wire.socket.write(' '), 100);
      try {
        assert.equal(problemOf(server, await wire.end()), 'request-timeout');
      } finally {
        clearInterval(drip);
      }
    });

    test(`a body that is cut off does no harm, ${way}`, async () => {
      const wire = await openWire(headOf('POST', path, { ...json, 'content-length': '100' }));
      wire.socket.write('{"rows": [');
      wire.socket.destroySoon();
      await once(wire.socket, 'close');
      await isServing();
    });
  }

  test('an upload may take its time while it moves, and keeps what came when it stops', async () => {
    const uploadId = await newUpload(1000);
    const path = `/uploads/${uploadId}/content`;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': '1000',
      connection: 'close',
    };
    const wire = await openWire(headOf('PUT', path, headers));
    // Together longer than a JSON body may take.
    for (let part = 0; part < 12; part++) {
      wire.socket.write('x'.repeat(10));
      await sleep(400);
    }
    assert.equal(problemOf(server, await wire.end()), 'request-timeout');
    await until('what came is kept', async () => {
      return (await server.client.getUpload({ uploadId })).receivedBytes === 120;
    });
  });
});

describe('uploads that are cut off', () => {
  test('keep what arrived and go on from there to a whole table', async () => {
    const content = Buffer.from(tableOf('resumed', 60_000));
    const uploadId = await newUpload(content.length);
    const path = `/uploads/${uploadId}/content`;
    let offset = 0;
    for (const share of [0.2, 0.5, 0.7]) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(content.length - offset),
      };
      const wire = await openWire(headOf('PUT', `${path}?offset=${offset}`, headers));
      const end = Math.floor(content.length * share);
      await new Promise((resolve) => wire.socket.write(content.subarray(offset, end), resolve));
      wire.socket.destroySoon();
      const from = offset;
      await until('what arrived is kept', async () => {
        offset = (await server.client.getUpload({ uploadId })).receivedBytes;
        return offset > from;
      });
      assert.ok(offset <= end);
    }
    await server.client.appendUpload({ uploadId, offset, stream: new Blob([content.subarray(offset)]) });
    const wrong = await server.ask({
      method: 'PUT',
      path: `/api/v1${path}?offset=5`,
      headers: { 'content-type': 'application/octet-stream' },
      body: 'x',
    });
    assert.equal(problemOf(server, wrong), 'wrong-state');
    const source = { kind: 'upload', uploadId } as const;
    const { version } = await server.client.createDataset({ projectId, body: { name: 'resumed', source } });
    await until('the import ends', async () => {
      const { state, rowCount } = await server.client.getDatasetVersion({ versionId: version.id });
      if (state === 'ready') assert.equal(rowCount, 60_000);
      return state !== 'importing';
    });
  });
});

describe('Idempotency-Key', () => {
  const create = (key: string, name: string): Promise<Answer> =>
    server.ask({
      method: 'POST',
      path: '/api/v1/projects',
      headers: { 'idempotency-key': key },
      json: { name },
    });
  const countOf = async (name: string): Promise<number> =>
    (await server.client.listProjects({ limit: 200 })).items.filter((project) => project.name === name)
      .length;

  test('the same request twice is carried out once and answered the same', async () => {
    const [first, second] = [await create('replay', 'Replayed'), await create('replay', 'Replayed')];
    assert.deepEqual([first.status, second.status, second.json], [201, 201, first.json]);
    assert.deepEqual(
      [first.headers['idempotency-replayed'], second.headers['idempotency-replayed']],
      [undefined, 'true'],
    );
    assert.equal(await countOf('Replayed'), 1);
  });

  test('another request with the same key is refused', async () => {
    await create('reuse', 'Reused');
    assert.equal(problemOf(server, await create('reuse', 'Other')), 'idempotency-key-reused');
    assert.equal(await countOf('Other'), 0);
  });

  test('many at once are carried out once', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => create('crowd', 'Crowded')));
    for (const answer of answers)
      if (answer.status !== 201) assert.equal(problemOf(server, answer), 'request-in-progress');
    assert.ok(answers.some(({ status }) => status === 201));
    assert.equal(await countOf('Crowded'), 1);
    assert.equal((await create('crowd', 'Crowded')).headers['idempotency-replayed'], 'true');
  });

  test('a request that failed may be corrected and sent again', async () => {
    assert.equal(problemOf(server, await create('again', 'Crowded')), 'already-exists');
    assert.equal((await create('again', 'Corrected')).status, 201);
  });

  test('a key that cannot be one is refused; one key of two people is two', async () => {
    for (const key of ['', ' ', 'a b', 'x'.repeat(201)])
      assert.equal(problemOf(server, await create(key, 'Never')), 'invalid-request');
    const { secret } = await server.client.createKey({ body: { name: 'second', role: 'editor' } });
    await create('shared', 'By the first');
    const other = await server.ask({
      method: 'POST',
      path: '/api/v1/projects',
      key: secret,
      headers: { 'idempotency-key': 'shared' },
      json: { name: 'By the second' },
    });
    assert.equal(other.status, 201);
  });

  test('secrets are not kept for a second answer', async () => {
    const ask = (): Promise<Answer> =>
      server.ask({
        method: 'POST',
        path: '/api/v1/keys',
        headers: { 'idempotency-key': 'secret' },
        json: { name: 'twice' },
      });
    const [first, second] = [await ask(), await ask()];
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.notEqual(first.json!['secret'], second.json!['secret']);
  });
});

describe('paths that try to leave', () => {
  /** Ways to write a step up, and what is wanted behind it: more than 500 spellings. */
  const spellings = [
    '../',
    '..\\',
    '%2e%2e%2f',
    '%2e%2e/',
    '..%2f',
    '..%5c',
    '%252e%252e%252f',
    '%c0%ae%c0%ae/',
    '..%c0%af',
    '....//',
    '..;/',
    '%uff0e%uff0e/',
    '．．/',
    '..%00/',
    '.%2e/',
    '%2e./',
    '..%ef%bc%8f',
    './../',
    '..//',
  ].flatMap((step) =>
    ['canary.csv', 'etc/passwd', 'home/database/PG_VERSION', 'import-not/canary.csv', ''].flatMap((target) =>
      [1, 2, 4, 8, 12].map((depth) => step.repeat(depth) + target),
    ),
  );
  const absolute = [
    '/etc/passwd',
    'file:///etc/passwd',
    '/proc/self/environ',
    'C:\\boot.ini',
    '//etc/passwd',
    '~/',
  ];
  const everySpelling = [...spellings, ...absolute, ...absolute.map((path) => `${path}%00.csv`)];

  const places: ((spelling: string) => string)[] = [
    (spelling) => `/${spelling}`,
    (spelling) => `/assets/${spelling}`,
    (spelling) => `/api/v1/${spelling}`,
    (spelling) => `/api/v1/datasets/${spelling}`,
    (spelling) => `/api/v1/dataset-versions/${spelling}/content`,
    (spelling) => `/api/v1/model-versions/${spelling}/file`,
    (spelling) => `/api/v1/uploads/${encodeURIComponent(spelling)}`,
    (spelling) => `/api/v1/model-versions/${encodeURIComponent(spelling)}/file`,
  ];

  test('there are more than 500 spellings', () => assert.ok(everySpelling.length > 480));

  test('in addresses reach nothing', async () => {
    for (const [index, spelling] of everySpelling.entries()) {
      for (const place of [places[index % places.length]!, places[(index * 3 + 1) % places.length]!]) {
        const path = place(spelling).replaceAll(/[^\x21-\x7e]/g, encodeURIComponent);
        const answer = await server.ask({ path });
        assert.ok(answer.status < 500, `${path} answered ${answer.status} ${answer.text}`);
        assertReachesNothing(answer, path);
      }
    }
  });

  test('in names are names and nothing else', async () => {
    for (const [index, spelling] of everySpelling.entries()) {
      const name = `${spelling.slice(0, 100)} ${index}`;
      const fields: [string, object][] = [
        [`/projects/${projectId}/uploads`, { fileName: name }],
        ['/projects', { name }],
        [`/projects/${projectId}/endpoints`, { name, modelVersionId: spelling.slice(0, 64) }],
        [
          `/projects/${projectId}/datasets`,
          { name, source: { kind: 'upload', uploadId: spelling.slice(0, 64) } },
        ],
      ];
      const [path, body] = fields[index % fields.length]!;
      const answer = await server.ask({ method: 'POST', path: `/api/v1${path}`, json: body });
      assert.ok(answer.status < 500, `${JSON.stringify(body)} answered ${answer.status} ${answer.text}`);
      assertReachesNothing(answer, name);
    }
  });

  test('in imports by path are refused, links included, and tell not what is there', async () => {
    const inside = join(around, 'import');
    const paths = [
      ...everySpelling.filter((_, index) => index % 5 === 0).map((spelling) => `${inside}/${spelling}`),
      ...absolute,
      ...['link.csv', 'folder/canary.csv', '', 'nothing.csv', '../import-not/canary.csv'].map((name) =>
        join(inside, name),
      ),
      join(around, 'canary.csv'),
      join(around, 'import-not', 'canary.csv'),
      'table.csv',
      `${inside}/table.csv\0`,
    ];
    const details = new Set<unknown>();
    for (const path of paths) {
      const answer = await server.ask({
        method: 'POST',
        path: `/api/v1/projects/${projectId}/import-previews`,
        json: { source: { kind: 'path', path } },
      });
      const code = problemOf(server, answer);
      assert.ok(code === 'path-forbidden' || path.includes('\0'), `${path}: ${answer.text}`);
      assertReachesNothing(answer, path);
      if (code === 'path-forbidden') details.add(answer.json!['detail']);
    }
    assert.equal(details.size, 1, 'one answer for what is outside and for what is not there');
    const source = { kind: 'path', path: join(inside, 'table.csv') } as const;
    const preview = await server.client.previewImport({ projectId, body: { source } });
    assert.equal(preview.columns[0]!.name, 'inside_size');
  });

  test('names of files with steps in them come back as names', async () => {
    const name = '../../../etc/cron.d/evil";x=y\r\nset-cookie: a=b';
    const named = await server.ask({
      method: 'POST',
      path: `/api/v1/projects/${projectId}/datasets`,
      json: { name, source: { kind: 'version', versionId: 'x' } },
    });
    assert.equal(problemOf(server, named), 'invalid-request');
    const { versionId } = await importTable(server.client, {
      projectId,
      name: '../../etc/"evil";ä/☂',
      content: tableOf('named'),
    });
    const answer = await server.ask({ path: `/api/v1/dataset-versions/${versionId}/content` });
    assert.equal(answer.status, 200);
    assert.equal(
      answer.headers['content-disposition'],
      `attachment; filename=".._.._etc_evil_-1.parquet"; filename*=UTF-8''..%2F..%2Fetc%2F%22evil%22%3B%C3%A4%2F%E2%98%82-1.parquet`,
    );
  });

  test('leave everything around the home as it was', async () => {
    assert.deepEqual((await readdir(around)).toSorted(), ['canary.csv', 'home', 'import', 'import-not']);
    assert.deepEqual((await readdir(join(around, 'import'))).toSorted(), ['folder', 'link.csv', 'table.csv']);
    assert.equal(await readFile(join(around, 'canary.csv'), 'utf8'), `a,${canary}\n1,2\n`);
    const inHome = (await readdir(server.home)).filter((name) => !/^(database|files|work|cache)/.test(name));
    assert.deepEqual(
      inHome.filter((name) => /cron|evil|passwd|canary/.test(name)),
      [],
    );
  });

  function assertReachesNothing(answer: Answer, what: string): void {
    for (const found of [canary, 'root:x:0', 'PILVI_HOME=', '[boot loader]'])
      assert.ok(!answer.text.includes(found), `${what}: ${answer.text}`);
    if (answer.status >= 400) problemOf(server, answer);
    else assertLeaksNothing(server, answer.text);
  }
});

describe('server-sent events', () => {
  let jobId: string;
  before(async () => {
    ({ jobId } = await importTable(server.client, {
      projectId,
      name: 'watched',
      content: tableOf('watched'),
    }));
  });

  async function eventsAfter(lastEventId: string | undefined): Promise<number[]> {
    const answer = await server.ask({
      path: `/api/v1/jobs/${jobId}/events`,
      ...(lastEventId !== undefined && { headers: { 'last-event-id': lastEventId } }),
    });
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers['content-type']), /^text\/event-stream/);
    return [...answer.text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  }

  test('go on behind the last one that was seen: none is lost, none comes twice', async () => {
    const all = await eventsAfter(undefined);
    assert.ok(all.length >= 3, `only ${all.length} events`);
    assert.deepEqual(
      all,
      all.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(all).size, all.length);
    for (const seen of all)
      assert.deepEqual(
        await eventsAfter(String(seen)),
        all.filter((id) => id > seen),
      );
  });

  test('a Last-Event-ID that is none means the beginning', async () => {
    const all = await eventsAfter(undefined);
    for (const id of ['x', '-1', '1e3', '', '9'.repeat(30)]) assert.deepEqual(await eventsAfter(id), all);
  });

  test('cut after every few events, live, they add up to the whole', async () => {
    const { versionId } = await importTable(server.client, {
      projectId,
      name: 'learned',
      content: tableOf('learned', 400),
    });
    const training = await server.client.createTraining({
      projectId,
      body: { datasetVersionId: versionId, target: 'label', budget: { seconds: 20, trials: 3 } },
    });
    const path = `/trainings/${training.id}/events`;
    const pieced: number[] = [];
    for (let isOver = false; !isOver;) {
      // The address of the first connection stays the same, as in a browser's EventSource: the header wins.
      const last = pieced.at(-1);
      const wire = await openWire(
        headOf('GET', `${path}?after=0`, last === undefined ? {} : { 'last-event-id': String(last) }),
      );
      const seen = (): { id: number; isFinal: boolean }[] =>
        [...wire.received().matchAll(/event: (\S+)\ndata: (.*)\nid: (\d+)\n\n/g)].map(
          ([, name, data, id]) => ({
            id: Number(id),
            isFinal: name === 'state' && /"(succeeded|failed|cancelled)"/.test(data!),
          }),
        );
      await until('events come', async () => seen().length >= 3 || seen().some(({ isFinal }) => isFinal));
      wire.socket.destroy();
      const taken = seen();
      pieced.push(...taken.map(({ id }) => id));
      isOver = taken.some(({ isFinal }) => isFinal);
    }
    jobId = training.jobId;
    assert.equal(new Set(pieced).size, pieced.length, 'an event came twice');
    const kept = await eventsAfter(undefined);
    assert.deepEqual(
      kept.filter((id) => !pieced.includes(id)),
      [],
      'an event was lost',
    );
  });

  test('clients that leave free everything', async () => {
    const { versionId } = await importTable(server.client, {
      projectId,
      name: 'abandoned',
      content: tableOf('abandoned', 2000),
    });
    const { id, jobId: abandoned } = await server.client.createTraining({
      projectId,
      body: { datasetVersionId: versionId, target: 'label', budget: { seconds: 60 } },
    });
    await until(
      'it runs',
      async () => (await server.client.getJob({ jobId: abandoned })).state === 'running',
    );
    const before = handleCounts();
    const wires = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        openWire(headOf('GET', at % 2 ? `/jobs/${abandoned}/events` : `/trainings/${id}/events`, {})),
      ),
    );
    await Promise.all(wires.map((wire) => wire.status()));
    assert.ok(handleCounts().timers >= before.timers + 40);
    for (const { socket } of wires) socket.destroy();
    // The next event of the job would wake each of them; those that have left are gone before it.
    await until('nothing is left of them', async () => {
      const { timers, sockets } = handleCounts();
      return timers <= before.timers + 6 && sockets <= before.sockets + 2;
    });
    await server.client.cancelTraining({ trainingId: id });
    await until('it ends', async () => {
      return (await server.client.getTraining({ trainingId: id })).state === 'cancelled';
    });
  });
});

test('nothing is left of all this', async () => {
  await until('the work folder is empty', async () => (await server.workFiles()).length === 0);
  const staged = await readdir(join(server.home, 'files', 'staging'));
  assert.deepEqual(staged, []);
  const { items } = await server.client.listBudgets({});
  assert.deepEqual(
    items.map(({ reservedMicroUsd }) => reservedMicroUsd),
    items.map(() => 0),
  );
  await isServing();
});

function handleCounts(): { timers: number; sockets: number } {
  const resources = process.getActiveResourcesInfo();
  const count = (name: RegExp): number => resources.filter((resource) => name.test(resource)).length;
  return { timers: count(/^Timeout$/), sockets: count(/^TCPSocketWrap|^TCPWrap/) };
}

/** Whether more may be written at once. */
function sendChunked(socket: Socket, block: Buffer): boolean {
  socket.write(`${block.length.toString(16)}\r\n`);
  socket.write(block);
  return socket.write('\r\n');
}
