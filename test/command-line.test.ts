// The command line against the running product: every resource, as a person or a script would use it. Nothing but
// PILVI_HOME is set: on the machine of the server its operator needs no key.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../src/base/random.ts';
import { runPilvi, temporaryFolder, type Outcome } from '../src/programs/cli/testing.ts';
import { startProduct, type Product } from './product.ts';

let product: Product;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

before(async () => {
  product = await startProduct({ PILVI_BOOTSTRAP_TOKEN: '' });
  folder = await temporaryFolder();
  const random = seededRandom(5);
  const lines = Array.from({ length: 200 }, (_, index) => {
    const isLate = index % 2 === 1;
    return `${(random.next() * 10 + (isLate ? 6 : 0)).toFixed(2)},${['north', 'south'][random.below(2)]},${isLate ? 'yes' : 'no'}`;
  });
  await writeFile(folder.at('parcels.csv'), `distance,region,late\n${lines.join('\n')}\n`);
});
after(async () => {
  await product?.close();
  await folder?.[Symbol.asyncDispose]();
});

function pilvi(...words: string[]): Promise<Outcome> {
  return runPilvi(words, { cwd: folder.path, environment: { PILVI_HOME: product.home } });
}

/** Runs a command that must succeed and returns its JSON document. */
async function json<Document = Record<string, unknown>>(...words: string[]): Promise<Document> {
  const { code, stdout, stderr } = await pilvi(...words, '--json');
  assert.equal(code, 0, `pilvi ${words.join(' ')}\n${stdout}${stderr}`);
  return JSON.parse(stdout) as Document;
}

/** Runs a command that must succeed and returns what it shows. */
async function shown(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await pilvi(...words);
  assert.equal(code, 0, `pilvi ${words.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

test('finds the server of this machine, and signs a browser in to it', async () => {
  const server = await json<{ session: { role: string } }>('server');
  assert.equal(server.session.role, 'owner');
  assert.match(await shown('server'), /^you .*owner$/m);
  const { url } = await json<{ url: string }>('sign-in');
  const { origin, hash } = new URL(url);
  const code = hash.replace(/^#code=/, '');
  const response = await fetch(`${origin}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ code }),
  });
  assert.equal(response.status, 201, await response.text());
});

test('from a file to predictions over an endpoint, the same as with the downloaded model', async () => {
  const version = await json<{ state: string; rowCount: number }>('dataset', 'create', 'parcels.csv');
  assert.equal(version.state, 'ready');
  assert.equal(version.rowCount, 200);
  assert.match(await shown('dataset', 'list'), /^parcels +1 +ready +200 +3 /m);
  assert.match(await shown('dataset', 'profile', 'parcels'), /^region +categorical/m);
  assert.match(await shown('dataset', 'rows', 'parcels@1', '--limit', '1'), /^distance +region +late\n/);
  assert.match(
    await shown('dataset', 'query', 'SELECT late, count(*) AS n FROM parcels GROUP BY late ORDER BY late'),
    /^no +100$/m,
  );
  assert.equal((await json<unknown[]>('dataset', 'versions', 'parcels')).length, 1);
  await json('dataset', 'update', 'parcels', 'parcels.csv', '--type', 'region=text');
  assert.equal((await json<{ number: number }>('dataset', 'show', 'parcels')).number, 2);
  assert.match(await shown('dataset', 'preview', 'parcels.csv'), /^delimiter +","$/m);
  await shown('dataset', 'download', 'parcels@1', '--out', 'parcels.parquet');
  assert.equal((await readFile(folder.at('parcels.parquet'))).subarray(0, 4).toString(), 'PAR1');

  const recipe = ['--dataset', 'parcels', '--target', 'late', '--trials', '3', '--seed', '4'];
  assert.equal((await json<{ task: string }>('training', 'plan', ...recipe)).task, 'binary');
  const training = await json<{ state: string; leaderboard: unknown[] }>(
    'training',
    'start',
    ...recipe,
    '--model',
    'late',
    '--watch',
  );
  assert.equal(training.state, 'succeeded');
  assert.equal(training.leaderboard.length, 3);
  assert.match(await shown('training', 'list'), /parcels +late +succeeded/);
  assert.match(await shown('training', 'show', 'latest'), /^trial +auc +seconds/m);
  assert.match(await shown('job', 'list', '--state', 'succeeded'), /training +succeeded/);

  assert.match(await shown('model', 'list'), /^late +1 +binary/m);
  await json('model', 'alias', 'late', 'champion', '1');
  assert.match(await shown('model', 'show', 'late@champion'), /^aliases +champion$/m);
  assert.match(await shown('explain', 'late'), /^# /);
  const row = ['--row', '{"distance": 12, "region": "north"}'];
  assert.match(await shown('model', 'explain', 'late', ...row), /on average.*\ncolumn +value +adds\n/s);
  const { isWantedAlready, counterfactuals } = await json<{
    isWantedAlready: boolean;
    counterfactuals: { prediction: { prediction: string } }[];
  }>('model', 'counterfactual', 'late', ...row, '--class', 'yes', '--fixed', 'region');
  assert.ok(isWantedAlready || counterfactuals.every(({ prediction }) => prediction.prediction === 'yes'));
  const near = await json<{ counterfactuals: { changes: { column: string; to: number }[] }[] }>(
    'model',
    'counterfactual',
    'late',
    ...row,
    '--class',
    'yes',
    '--range',
    'distance=..20',
  );
  for (const { changes } of near.counterfactuals)
    for (const { column, to } of changes) assert.ok(column !== 'distance' || to <= 20, `${to}`);
  assert.match(await shown('model', 'counterfactual', 'late', ...row, '--class', 'no'), /answer/);
  await json('endpoint', 'create', 'late-live', '--model', 'late@champion');
  assert.match(await shown('endpoint', 'show', 'late-live'), /^answered by +late@1$/m);

  await shown('model', 'download', 'late', '--out', 'late.pilvi');
  const overHttp = await shown('predict', 'late-live', 'parcels.csv');
  assert.equal(overHttp, await shown('predict', 'late.pilvi', 'parcels.csv'));
  assert.match(overHttp, /^prediction,probability_no,probability_yes\n/);

  const [signer] = await json<{ publicKey: string }[]>('model', 'signers');
  assert.equal((await json<{ signer: string }>('model', 'show', 'late')).signer, signer!.publicKey);
  assert.match(await shown('model', 'verify', 'late.pilvi', '--trust-server'), /whole.*which you trust/s);
  const publicKey = ['--trust', signer!.publicKey];
  assert.equal(overHttp, await shown('predict', 'late.pilvi', 'parcels.csv', ...publicKey));

  await shown('export', 'late', '--format', 'onnx', '--out', 'of-the-server.onnx');
  await shown('export', 'late.pilvi', '--out', 'of-the-file.onnx');
  assert.deepEqual(
    await readFile(folder.at('of-the-server.onnx')),
    await readFile(folder.at('of-the-file.onnx')),
  );

  assert.equal((await json<{ number: number }>('model', 'import', 'late.pilvi', '--name', 'late')).number, 2);
  assert.match(
    await shown('endpoint', 'deploy', 'late-live', 'late@1=0.9', 'late@2=0.1'),
    /late@1 \(90 %\), late@2 \(10 %\)/,
  );
  assert.match(await shown('endpoint', 'delete', 'late-live'), /Deleted "late-live"/);
  assert.match(await shown('model', 'alias', 'late', 'champion', '--remove'), /no alias/);

  const trusting = ['model', 'import', 'late.pilvi', '--name', 'late', '--trust'];
  assert.equal((await json<{ number: number }>(...trusting, signer!.publicKey)).number, 3);
  assert.match((await pilvi(...trusting, 'ab'.repeat(32))).stderr, /\(model-file-untrusted\)/);
  assert.match(await shown('model', 'show', 'late@1'), /^signed with +\S+ \(a key of this installation\)$/m);
  const beginning = signer!.publicKey.slice(0, 12);
  assert.match(await shown('model', 'withdraw-signer', beginning), / signs\n.* withdrawn /s);
  assert.match((await pilvi('model', 'withdraw-signer', beginning)).stderr, /\(wrong-state\)/);
  assert.match((await pilvi('model', 'withdraw-signer', 'nobody')).stderr, /\(not-found\)/);
  assert.match(
    (await pilvi('model', 'verify', 'late.pilvi', '--trust-server')).stderr,
    /not among the trusted/,
  );
  assert.match(
    (await pilvi('model', 'explain', 'late@1', ...row)).stderr,
    /\(signing-key-withdrawn\).*"pilvi model sign mdv_/s,
  );
  assert.match(await shown('model', 'sign', 'late@1'), /^Signed late@1 with the key [0-9a-f]{64}\.$/m);
  assert.match(await shown('model', 'explain', 'late@1', ...row), /on average/);
});

test('a model made elsewhere is brought in, says where it comes from, and answers', async () => {
  const file = fileURLToPath(new URL('./foreign-models/sklearn-pipeline.onnx', import.meta.url));
  const columns = ['--columns', 'age,town,visits'];
  const version = await json<{ format: string; target: string; signature: unknown }>(
    'model',
    'import',
    file,
    '--name',
    'foreign',
    '--target',
    'left',
    ...columns,
  );
  assert.deepEqual([version.format, version.target, version.signature], ['onnx', 'left', null]);
  assert.match(await shown('model', 'show', 'foreign'), /^made by +skl2onnx.*as ONNX$/m);
  await writeFile(folder.at('people.csv'), 'age,town,visits\n30,Oulu,2\n61,Turku,7\n');
  await json('endpoint', 'create', 'foreign-live', '--model', 'foreign');
  assert.match(
    await shown('predict', 'foreign-live', 'people.csv'),
    /^prediction,probability_no,.*\n(no|yes),0\.\d/,
  );
  const few = await pilvi('model', 'import', file, '--name', 'foreign', '--columns', 'age,town');
  assert.equal(few.code, 1);
  assert.match(few.stderr, /takes 3 columns, and 2 are named/);
  assert.equal(
    (await pilvi('model', 'import', file, '--name', 'foreign', '--trust', 'ab'.repeat(32))).code,
    2,
  );
});

test('Ctrl-C on a training that it started cancels the training', async () => {
  const words = [
    'training',
    'start',
    '--dataset',
    'parcels',
    '--target',
    'late',
    '--budget',
    '10m',
    '--watch',
  ];
  const { code, stdout } = await runPilvi(words, {
    cwd: folder.path,
    environment: { PILVI_HOME: product.home },
    interruptAt: 'Baseline',
  });
  assert.equal(code, 130);
  assert.equal(stdout, '');
  const watched = await pilvi('training', 'watch', 'latest', '--json');
  assert.equal(watched.code, 1);
  assert.equal((JSON.parse(watched.stdout) as { code: string }).code, 'cancelled');
});

test('people, keys, money, audit', async () => {
  const { code, stdout } = await pilvi('key', 'create', 'ci', '--role', 'predictor');
  assert.equal(code, 0);
  assert.match(stdout, /^\S{30,}\n$/);
  assert.match(await shown('key', 'list'), /^ci +\S+ +predictor +all +never +never +works/m);
  const withKey = await runPilvi(['dataset', 'create', 'parcels.csv', '--name', 'refused'], {
    cwd: folder.path,
    environment: { PILVI_URL: product.url, PILVI_KEY: stdout.trim(), PILVI_HOME: folder.path },
  });
  assert.equal(withKey.code, 1);
  assert.match(withKey.stderr, /\(not-allowed\)/);
  await shown('key', 'revoke', 'ci');
  const revoked = await runPilvi(['project', 'list', '--json'], {
    cwd: folder.path,
    environment: { PILVI_URL: product.url, PILVI_KEY: stdout.trim(), PILVI_HOME: folder.path },
  });
  assert.equal((JSON.parse(revoked.stdout) as { code: string }).code, 'not-signed-in');

  const invited = await json<{ link: { url: string } }>('member', 'invite', 'Anna', '--role', 'viewer');
  assert.match(invited.link.url, /#code=/);
  assert.match(await shown('member', 'role', 'Anna', 'editor'), /Anna is editor/);
  assert.match(await shown('member', 'list'), /^Anna +editor/m);
  assert.match((await pilvi('member', 'remove', 'Ana')).stderr, /Did you mean "Anna"\?/);
  await shown('member', 'remove', 'Anna');

  await shown('budget', 'set', '25');
  assert.match(await shown('budget', 'list'), /^workspace +month +\$25\.00/m);
  const { id } = await json<{ id: string }>(
    'budget',
    'set',
    '3',
    '--for-project',
    'First project',
    '--period',
    'total',
  );
  await shown('budget', 'remove', id);
  for (const verb of ['prices', 'charges', 'spending'])
    assert.ok((await json<unknown[]>('budget', verb)).length > 0, verb);

  assert.match(await shown('audit', 'list', '--limit', '10'), /member:remove/);
  assert.equal((await json<{ intact: boolean }>('audit', 'verify')).intact, true);
  await shown('workspace', 'rename', 'Our lab');
  assert.match(await shown('workspace', 'show'), /^workspace +Our lab$/m);
});

test('with several projects one must be named, and a name that is not there is answered with the nearest', async () => {
  await json('project', 'create', 'Second', '--description', 'for later');
  assert.match(await shown('project', 'list'), /^Second +for later/m);
  const several = await pilvi('dataset', 'list');
  assert.equal(several.code, 2);
  assert.match(several.stderr, /name one with --project/);
  const missing = await pilvi('--project', 'Frist project', 'dataset', 'list');
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /Did you mean "First project"\?/);
  assert.match(await shown('--project', 'Second', 'dataset', 'list'), /No datasets yet/);
  await json('project', 'update', 'Second', '--name', 'Later');
  await shown('dataset', 'delete', 'parcels', '--project', 'First project');
});

test('a second server is told who has the port, and who has the home', async () => {
  const { port } = new URL(product.url);
  const samePort = await pilvi('up', '--home', folder.at('other-home'), '--port', port);
  assert.equal(samePort.code, 1);
  assert.match(samePort.stderr, /\(address-in-use\)/);
  const sameHome = await pilvi('up', '--port', '0', '--json');
  assert.equal(sameHome.code, 1);
  assert.equal((JSON.parse(sameHome.stdout) as { code: string }).code, 'data-folder-in-use');
});

test('a server that stops takes its key with it', async () => {
  await product.stop();
  const { code, stdout } = await pilvi('project', 'list', '--json', '--url', product.url);
  assert.equal(code, 1);
  assert.equal((JSON.parse(stdout) as { code: string }).code, 'unavailable');
  await assert.rejects(readFile(`${product.home}/running.json`), { code: 'ENOENT' });
});
