// The key that model files are signed with: one for each home, its owner's alone, and known to all servers by its public
// half.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openModel } from '../../../ml/model/model.ts';
import { goldenModels } from '../../../ml/model/testing/golden.ts';
import type { Actor } from '../../context.ts';
import { openTestServices, type TestServices } from '../../testing.ts';
import { createPerson } from '../identity/people.ts';
import { findPublicKey, fleetingSigner, openSigner } from './key-file.ts';
import { listSigningKeys, ownPublicKeys, readySigner, signFile, withdrawSigningKey } from './signing.ts';

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
  await readySigner(services);
  await readySigner(services);
  await readySigner(other);
  const { items } = await listSigningKeys(services);
  const both = [services.signer.publicKey, other.signer.publicKey].sort();
  assert.deepEqual(items.map(({ publicKey }) => publicKey).sort(), both);
  assert.deepEqual((await ownPublicKeys(services)).sort(), both);
});

test('a home whose key is replaced has one fresh key, however many notice at once', async () => {
  const folder = join(home, 'replaced');
  const [one, other] = [await openSigner(folder), await openSigner(folder)];
  const withdrawn = one.publicKey;
  await Promise.all(Array.from({ length: 8 }, () => one.renew(withdrawn)));
  await other.renew(withdrawn);
  assert.notEqual(one.publicKey, withdrawn);
  assert.equal(other.publicKey, one.publicKey);
  assert.equal(await findPublicKey(folder), one.publicKey);
  assert.deepEqual(await readdir(folder), ['signing-key.pem']);
  assert.equal((await stat(join(folder, 'signing-key.pem'))).mode & 0o777, 0o600);
  await one.renew(withdrawn);
  assert.equal(other.publicKey, one.publicKey);
});

test('a withdrawn key is trusted no more, its server signs with a fresh one, and others go on', async () => {
  const { services } = server;
  const { id: ownerId } = await services.database.asSystem('test', (transaction) =>
    createPerson(transaction, services).then((id) => ({ id })),
  );
  const context = server.contextFor({ actor: { kind: 'user', id: ownerId, sessionId: 'ses_1' } });
  const colleague = { ...services, signer: fleetingSigner() };
  await readySigner(services);
  await readySigner(colleague);
  const withdrawn = services.signer.publicKey;
  const strangers: Actor[] = [
    { kind: 'user', id: 'usr_other', sessionId: 'ses_2' },
    { kind: 'key', id: 'key_1', role: 'owner', projectId: null },
  ];
  for (const actor of strangers)
    await assert.rejects(withdrawSigningKey(server.contextFor({ actor }), withdrawn), {
      code: 'not-allowed',
    });
  await assert.rejects(withdrawSigningKey(context, 'ab'.repeat(32)), { code: 'not-found' });
  const { items } = await withdrawSigningKey(context, withdrawn);
  await assert.rejects(withdrawSigningKey(context, withdrawn), { code: 'wrong-state' });
  const fresh = services.signer.publicKey;
  assert.notEqual(fresh, withdrawn);
  assert.ok(items.find(({ publicKey }) => publicKey === withdrawn)!.withdrawnAt);
  assert.deepEqual(
    items.filter(({ isCurrent }) => isCurrent).map(({ publicKey, withdrawnAt }) => [publicKey, withdrawnAt]),
    [[fresh, null]],
  );
  const trusted = await ownPublicKeys(services);
  assert.ok(trusted.includes(fresh) && trusted.includes(colleague.signer.publicKey));
  assert.ok(!trusted.includes(withdrawn));

  // The colleague's key is withdrawn here; there it is noticed before anything is signed.
  await withdrawSigningKey(context, colleague.signer.publicKey);
  assert.ok(!(await ownPublicKeys(colleague)).includes(colleague.signer.publicKey));
  const { publicKey } = await readySigner(colleague);
  assert.ok((await ownPublicKeys(services)).includes(publicKey));
});
