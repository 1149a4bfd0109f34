// The SDK against the running product over a network that fails: every third request is lost on the way, or its answer
// is. Whatever the caller asked for happens, and happens once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createClient } from '../src/sdk/client.ts';
import { listAll } from '../src/sdk/list-all.ts';
import { uploadFile } from '../src/sdk/upload.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { startProduct, type Product } from './product.ts';

let product: Product;
let projectId: string;

before(async () => {
  product = await startProduct();
  projectId = (await product.client.listProjects({})).items[0]!.id;
});
after(() => product?.close());

/** A `fetch` that loses every third request, or the answer to it. */
function lossyFetch(): typeof fetch {
  let count = 0;
  return async (input, init) => {
    count++;
    if (count % 6 === 2) throw new TypeError('the request was lost');
    const response = await fetch(input, init);
    if (count % 6 !== 5) return response;
    await response.body?.cancel();
    throw new TypeError('the answer was lost');
  };
}

function lossyClient() {
  return createClient({ baseUrl: product.url, token: product.token, fetch: lossyFetch(), retryDelayMs: 1 });
}

test('what is made is made once', async () => {
  const client = lossyClient();
  const names = Array.from({ length: 12 }, (_, index) => `Project ${index}`);
  for (const name of names) await client.createProject({ body: { name } });
  const found = await Array.fromAsync(listAll(client.listProjects, { limit: 5 }));
  assert.deepEqual(
    found.map(({ name }) => name).filter((name) => name.startsWith('Project ')),
    names.toReversed(),
  );
});

test('an upload arrives whole, and its import is followed to the end', async () => {
  const client = lossyClient();
  const lines = Array.from(
    { length: 50_000 },
    (_, index) => `${index},${(index * 7919) % 1000},${index % 3}`,
  );
  const file = new File([`number,value,group\n${lines.join('\n')}\n`], 'numbers.csv');
  const upload = await uploadFile(client, { projectId, file, partBytes: 100_000, retryDelayMs: 1 });
  assert.equal(upload.receivedBytes, file.size);
  const body = { name: 'numbers', source: { kind: 'upload', uploadId: upload.id } } as const;
  const { jobId, version } = await client.createDataset({ projectId, body });
  const events: string[] = [];
  await waitForJob(client, jobId, { onEvent: ({ name }) => events.push(name) });
  assert.ok(events.includes('state'));
  const { rowCount } = await client.getDatasetVersion({ versionId: version.id });
  assert.equal(rowCount, 50_000);
  const parquet = await client.downloadDatasetVersion({ versionId: version.id });
  assert.equal((await parquet.text()).slice(0, 4), 'PAR1');
});

test('a problem of the server comes as it is', async () => {
  await assert.rejects(lossyClient().createProject({ body: { name: '' } }), (error) => {
    const { problem } = error as {
      problem: { code: string; errors: { field: string }[]; requestId: string };
    };
    assert.equal(problem.code, 'invalid-request');
    assert.match(problem.requestId, /^req_/);
    assert.match(problem.errors[0]!.field, /name/);
    return true;
  });
});
