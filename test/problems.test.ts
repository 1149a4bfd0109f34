// What is wrong with a request is told as a problem: from the catalogue, declared by the operation, documented, and
// without anything that is the server's own. Wrong requests are made for every operation from its own schema.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { problemKinds } from '../src/base/problems.ts';
import { operations } from '../src/contract/contract.ts';
import type { Operation } from '../src/contract/operation.ts';
import { problemsOf } from '../src/platform/http/openapi.ts';
import { openServer, problemOf, type Answer, type TestServer } from './server.ts';

let server: TestServer;
let projectId: string;

before(async () => {
  server = await openServer();
  projectId = (await server.client.listProjects({})).items[0]!.id;
});
after(() => server?.close());

/** Sends `body` to the operation; ids that are not there, but for the project's. */
async function send(
  operation: Operation,
  { body, id = 'nothing-has-this-id', query = '', mediaType = 'application/json' }: Wrong,
): Promise<Answer> {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) => (name === 'projectId' ? projectId : id));
  return await server.ask({
    method: operation.method.toUpperCase(),
    path: `/api/v1${path}${query}`,
    ...(body !== undefined && { headers: { 'content-type': mediaType }, body }),
  });
}

interface Wrong {
  body?: string | Uint8Array;
  id?: string;
  query?: string;
  mediaType?: string;
}

/** The answer is a refusal that the operation declares. */
function assertDeclared(operation: Operation, answer: Answer): string {
  assert.ok(answer.status >= 400, `${operation.operationId} answered ${answer.status}: ${answer.text}`);
  const code = problemOf(server, answer);
  assert.ok(problemsOf(operation).has(code), `${operation.operationId} does not declare ${code}`);
  assert.ok(answer.status < 500, `${operation.operationId}: ${answer.text}`);
  return code;
}

const takingJson = operations.filter(({ request }) => request.json);

describe('bodies', () => {
  const notJson: [string, string | Uint8Array][] = [
    ['nothing', ''],
    ['half an object', '{"name": "x"'],
    ['two documents', '{}{}'],
    ['a comment', '{} // none'],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['UTF-16', new Uint8Array(Buffer.from('{"name":"x"}', 'utf16le'))],
    ['NaN', '{"name": NaN}'],
    ['a raw control character', '{"name": "a\nb"}'],
    ['100,000 open brackets', '['.repeat(100_000)],
  ];
  for (const [what, body] of notJson) {
    test(`${what} is malformed, everywhere`, async () => {
      for (const operation of takingJson)
        assert.equal(assertDeclared(operation, await send(operation, { body })), 'malformed-body');
    });
  }

  test('JSON of another kind than an object is refused, everywhere', async () => {
    for (const operation of takingJson)
      for (const body of ['null', '1', '"x"', '[]', 'true', `${'['.repeat(50_000)}${']'.repeat(50_000)}`])
        assert.equal(assertDeclared(operation, await send(operation, { body })), 'invalid-request');
  });

  test('U+0000 and half surrogate pairs are refused in every text, everywhere', async () => {
    for (const operation of takingJson) {
      for (const character of ['\\u0000', '\\ud800', '\\udc00x']) {
        for (const body of [
          `{"a${character}": 1}`,
          `{"name": "${character}", "deep": [{"x": "${character}"}]}`,
        ])
          assert.equal(assertDeclared(operation, await send(operation, { body })), 'invalid-request');
      }
    }
    // The same letters, escaped, are text like any other.
    const named = await send(byId('createProject'), { body: '{"name": "a\\\\u0000b \\ud83d\\ude00"}' });
    assert.equal(named.status, 201, named.text);
  });

  test('no JSON makes the server fail', async () => {
    const words = [
      'name',
      'description',
      'scope',
      'kind',
      'workspace',
      'source',
      'upload',
      'options',
      'rows',
    ];
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), tie('object'), fc.constantFrom(...words)),
      object: fc.dictionary(fc.oneof(fc.constantFrom(...words), fc.string()), tie('any'), { maxKeys: 6 }),
    })).object;
    const property = fc.asyncProperty(
      fc.constantFrom(...takingJson.filter(({ operationId }) => operationId !== 'updateWorkspace')),
      value,
      async (operation, sent) => {
        const answer = await send(operation, { body: JSON.stringify(sent) });
        if (answer.status >= 400) assertDeclared(operation, answer);
      },
    );
    await fc.assert(property, { numRuns: 400, seed: 7 });
  });

  test('another media type is refused, everywhere', async () => {
    for (const operation of operations.filter(({ request }) => request.json ?? request.stream)) {
      for (const mediaType of ['text/html', 'application/x-www-form-urlencoded', 'application/jsonx', '']) {
        const answer = await send(operation, { body: '{}', mediaType, query: '?modelName=x' });
        assert.equal(assertDeclared(operation, answer), 'unsupported-media-type', operation.operationId);
      }
    }
  });
});

describe('addresses', () => {
  test('ids that are none are refused, everywhere', async () => {
    const ids = [
      '%00',
      '%F0%9F%98%80',
      '%FF%FE',
      "'%20or%20'1'='1",
      '..%2F..',
      '%2e%2e',
      '-1',
      'null',
      '%25s',
    ];
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      if (!/\{(?!projectId)/.test(operation.path)) continue;
      for (const id of [...ids, 'x'.repeat(64), 'x'.repeat(5000)]) {
        const body = operation.request.json ? '{}' : operation.request.stream ? 'x' : undefined;
        const [mediaType = 'application/json'] = operation.request.stream ?? [];
        assertDeclared(operation, await send(operation, { id, mediaType, ...(body && { body }) }));
      }
    }
  });

  test('queries that are none are refused or mean nothing, and never make the server fail', async () => {
    const values = ['%00', '-1', '1e9', 'NaN', '99999999999999999999', '%ED%A0%80', '', "'", 'a%00b'];
    for (const operation of operations) {
      for (const name of Object.keys(operation.request.query?.shape ?? {})) {
        for (const value of values) {
          const answer = await send(operation, { query: `?${name}=${value}` });
          if (answer.status >= 400) assertDeclared(operation, answer);
        }
      }
    }
  });

  test('a cursor that no listing gave out is refused, or is the end or the beginning', async () => {
    const { items } = await server.client.listProjects({});
    const cursors = [
      'x',
      '%00',
      items[0]!.id,
      'ds_00000000000000000000000000',
      '5',
      '9007199254740993',
      '-1',
    ];
    for (const operation of operations) {
      if (!('cursor' in (operation.request.query?.shape ?? {})) || /\{(?!projectId)/.test(operation.path))
        continue;
      for (const cursor of [...cursors, `zz_${'z'.repeat(26)}`, '1'.repeat(16), 'a'.repeat(300)]) {
        const answer = await send(operation, { query: `?cursor=${cursor}` });
        if (answer.status >= 400) assert.equal(assertDeclared(operation, answer), 'invalid-request');
      }
      assert.equal((await send(operation, { query: '?cursor=x' })).status, 400, operation.operationId);
    }
  });

  test('an unknown address is a problem, whatever the method', async () => {
    for (const path of [
      '/api/v1/nothing',
      '/api/v2/projects',
      '/api',
      '/api/v1//projects',
      '/api/v1/projects/',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'])
        assert.equal(problemOf(server, await server.ask({ method, path })), 'not-found', `${method} ${path}`);
    }
  });

  test('a method that an address does not take is answered with those that it takes', async () => {
    const byPath = Map.groupBy(operations, ({ path }) => path);
    for (const [path, there] of byPath) {
      const methods = there.map(({ method }) => method.toUpperCase());
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        if (methods.includes(method)) continue;
        const answer = await server.ask({ method, path: `/api/v1${path.replaceAll(/[{}]/g, '')}` });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.deepEqual(answer.headers.allow?.split(', ').toSorted(), methods.toSorted());
        if (method !== 'HEAD') assert.equal(problemOf(server, answer), 'method-not-allowed');
      }
    }
    const page = await server.ask({ method: 'POST', path: '/some/page', json: {} });
    assert.deepEqual([problemOf(server, page), page.headers.allow], ['method-not-allowed', 'GET, HEAD']);
  });
});

describe('the catalogue', () => {
  test('every problem says what to do, in a sentence', () => {
    for (const [code, { status, title, remedy }] of Object.entries(problemKinds)) {
      assert.match(code, /^[a-z]+(-[a-z]+)*$/);
      assert.ok(status >= 400 && status < 600, code);
      assert.match(title, /^\S.*[^.]$/, code);
      assert.match(remedy, /^[A-Z].*\.$/, code);
    }
  });

  test('every problem is documented', () => {
    const page = readFileSync(new URL('../docs/problems.md', import.meta.url), 'utf8');
    for (const code of Object.keys(problemKinds)) assert.ok(page.includes(code), code);
  });
});

function byId(operationId: string): Operation {
  return operations.find((operation) => operation.operationId === operationId)!;
}
