// The command line as its users meet it: exit codes, what goes where, words that help.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { operations } from '../../contract/contract.ts';
import { runPilvi } from './testing.ts';

/** An address at which nobody answers. */
const nobody = { PILVI_URL: `http://127.0.0.1:${await freePort()}` };

test('tells its version without loading anything else', async () => {
  const { version } = JSON.parse(
    await readFile(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as {
    version: string;
  };
  assert.deepEqual(await runPilvi(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  assert.deepEqual(await runPilvi(['dataset', '--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
  const source = await readFile(new URL('./pilvi.ts', import.meta.url), 'utf8');
  assert.deepEqual(
    [...source.matchAll(/^import .* from '(.+)'/gm)].map((match) => match[1]),
    ['../version.ts'],
  );
});

test('explains every command on stdout and succeeds', async () => {
  for (const words of [['--help'], ['fit', '--help'], ['dataset', '-h'], ['training', 'start', '--help']]) {
    const { code, stdout, stderr } = await runPilvi(words);
    assert.equal(code, 0);
    assert.match(stdout, /^Usage: pilvi/);
    assert.equal(stderr, '');
  }
});

const wrong: [string[], RegExp][] = [
  [['datset', 'list'], /unknown command 'datset'\s+\(Did you mean dataset\?\)/],
  [['dataset', 'lst'], /unknown command 'lst'\s+\(Did you mean list\?\)/],
  [['dataset', 'list', '--jsn'], /unknown option '--jsn'\s+\(Did you mean --json\?\)/],
  [['training', 'start', '--dataset', 'x', '--targt', 'y'], /Did you mean --target\?/],
  [['dataset', 'rows', 'x', '--limit', 'many'], /must be a whole number from 1 to 500/],
  [['training', 'start', '--dataset', 'x', '--target', 'y', '--budget', 'soon'], /such as 60s, 5m or 1h/],
  [
    ['training', 'start', '--dataset', 'x', '--target', 'y', '--task', 'guess'],
    /Allowed choices are auto, binary/,
  ],
  [['dataset', 'show'], /missing required argument 'dataset'/],
  [['dataset', 'show', 'a', 'b'], /too many arguments/],
  [['model', 'alias', 'a', 'b'], /name a version for the alias, or --remove it/],
  [['endpoint', 'deploy', 'e', 'a@1', 'b@2'], /write MODEL=SHARE/],
  [['dataset', 'create', 'x.csv', '--type', 'age=nmber'], /"nmber" is no type of a column/],
  [['server', '--url', 'nowhere'], /"nowhere" is not an address/],
  [[], /Usage: pilvi/],
  [['dataset'], /Usage: pilvi dataset/],
];

for (const [words, message] of wrong) {
  test(`wrong usage is told and exits with 2: pilvi ${words.join(' ')}`, async () => {
    const { code, stdout, stderr } = await runPilvi(words, { environment: nobody });
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stdout, '');
  });
}

test('with --json, stdout holds one JSON document even when usage is wrong', async () => {
  const { code, stdout } = await runPilvi(['dataset', 'rows', 'x', '--limit', 'many', '--json']);
  assert.equal(code, 2);
  const document = JSON.parse(stdout) as { code: string; detail: string };
  assert.equal(document.code, 'invalid-request');
  assert.match(document.detail, /whole number/);
});

test('a problem tells what, where and what to do, and exits with 1', async () => {
  const { code, stdout, stderr } = await runPilvi(['project', 'list'], { environment: nobody });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /^Problem: {2}Pilvi cannot be reached \(unavailable\)$/m);
  assert.match(stderr, /^what .*127\.0\.0\.1:\d+ \(ECONNREFUSED\)/m);
  assert.match(stderr, /^what to do .*pilvi up/m);
  const asJson = await runPilvi(['project', 'list', '--json'], { environment: nobody });
  assert.equal(asJson.code, 1);
  assert.equal((JSON.parse(asJson.stdout) as { code: string }).code, 'unavailable');
});

test('a wrong variable is named, a misspelt one is warned about', async () => {
  const bad = await runPilvi(['server'], { environment: { PILVI_PORT: 'many' } });
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /PILVI_PORT/);
  const misspelt = await runPilvi(['server'], { environment: { ...nobody, PILVI_KYE: 'x' } });
  assert.match(misspelt.stderr, /PILVI_KYE is not a variable of Pilvi; did you mean PILVI_KEY\?/);
});

test('colours stay away from pipes', async () => {
  const { stderr } = await runPilvi(['server'], { environment: nobody });
  assert.equal(stderr.includes('\u001b'), false);
});

test('every operation of the API has a command', async () => {
  /** What only browsers do, or what the SDK does within another call. */
  const elsewhere = [
    'createSession',
    'deleteSession',
    'createUpload',
    'appendUpload',
    'getUpload',
    'watchJob',
    'watchTraining',
    'predictCsv',
    'getApiDocument',
  ];
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const files = (await readdir(folder, { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !name.includes('.test.'),
  );
  const sources = (await Promise.all(files.map((name) => readFile(`${folder}/${name}`, 'utf8')))).join('\n');
  const missing = operations
    .map(({ operationId }) => operationId)
    .filter((id) => !elsewhere.includes(id) && !new RegExp(`\\.${id}\\b`).test(sources));
  assert.deepEqual(missing, []);
});

test('the launcher hands over to the Node that comes with the packages, or says what to do', async (context) => {
  const launcher = fileURLToPath(new URL('../../../bin/pilvi.js', import.meta.url));
  const direct = spawnSync(process.execPath, [launcher, 'datset'], { encoding: 'utf8' });
  assert.equal(direct.status, 2);
  assert.match(direct.stderr, /Did you mean dataset/);
  const old = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '';
    return /^v(1\d|2[01])\./.test(version);
  });
  if (old === undefined) return context.skip('there is no older Node on this machine');
  const handedOver = spawnSync(old, [launcher, 'datset'], { encoding: 'utf8' });
  assert.equal(handedOver.status, 2);
  assert.match(handedOver.stderr, /Did you mean dataset/);
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
