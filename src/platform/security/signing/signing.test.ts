// The key that model files are signed with: one for each home, its owner's alone, and known to all servers by its public
// half.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openModel } from '../../../ml/model/model.ts';
import { goldenModels } from '../../../ml/model/testing/golden.ts';
import { openTestServices, type TestServices } from '../../testing.ts';
import { findPublicKey, fleetingSigner, openSigner } from './key-file.ts';
import { listSigningKeys, ownPublicKeys, publishSigningKey, signFile } from './signing.ts';

let home: string;
let server: TestServices;

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  server = await openTestServices();
});
after(async () => {
  await server?.close();
  await rm(home, { recursive: true, force: true });
});

test('a home has one key, however many ask for it at once, and nobody else can read it', async () => {
  const folder = join(home, 'new', 'home');
  assert.equal(await findPublicKey(folder), undefined);
  const signers = await Promise.all(Array.from({ length: 8 }, () => openSigner(folder)));
  const [publicKey, ...others] = new Set(signers.map((signer) => signer.publicKey));
  assert.match(publicKey!, /^[0-9a-f]{64}$/);
  assert.deepEqual(others, []);
  assert.equal(await findPublicKey(folder), publicKey);
  assert.deepEqual(await readdir(folder), ['signing-key.pem']);
  assert.equal((await stat(join(folder, 'signing-key.pem'))).mode & 0o777, 0o600);
  assert.match(await readFile(join(folder, 'signing-key.pem'), 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/);
});

test('a file in its place that is no such key is told, and what it holds is not', async () => {
  const rsa = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
  for (const text of ['', 'secret', rsa]) {
    await writeFile(join(home, 'signing-key.pem'), text);
    const refusal = await openSigner(home).catch((error: unknown) => error as Error & { code: string });
    assert.ok('code' in refusal && refusal.code === 'configuration-invalid');
    assert.doesNotMatch(refusal.message, /secret|c2Vj/);
    assert.ok(!refusal.message.includes(home));
  }
});

test('a file on the disk is signed in place, and signing it again changes nothing', async () => {
  const path = join(home, 'model.pilvi');
  const signer = fleetingSigner();
  const { file } = goldenModels().find(({ format, name }) => format === 2 && name === 'baseline-binary')!;
  await writeFile(path, file);
  await signFile(path, signer);
  const once = await readFile(path);
  await signFile(path, signer);
  assert.deepEqual(await readFile(path), once);
  assert.equal(once.length, file.length);
  assert.equal((await openModel(once, { trusted: [signer.publicKey] })).manifest.target, 'taken');
  await writeFile(path, 'no model');
  await assert.rejects(signFile(path, signer), { code: 'model-file-invalid' });
  assert.equal(await readFile(path, 'utf8'), 'no model');
});

test('servers of one installation know the keys of each other', async () => {
  const { services } = server;
  const other = { ...services, signer: fleetingSigner() };
  await publishSigningKey(services);
  await publishSigningKey(services);
  await publishSigningKey(other);
  const { items } = await listSigningKeys(services);
  const both = [services.signer.publicKey, other.signer.publicKey].sort();
  assert.deepEqual(items.map(({ publicKey }) => publicKey).sort(), both);
  assert.deepEqual((await ownPublicKeys(services)).sort(), both);
});
