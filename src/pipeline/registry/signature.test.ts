// Whose model files a server serves: its own when they were trained here, whatever was brought with the signature that it
// was brought with.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { goldenModels } from '../../ml/model/testing/golden.ts';
import { freshSigner, signed } from '../../ml/model/testing/mend.ts';
import type { Context } from '../../platform/context.ts';
import { fleetingSigner } from '../../platform/security/signing/key-file.ts';
import { readySigner } from '../../platform/security/signing/signing.ts';
import { listAuditLines } from '../../platform/security/audit/audit.ts';
import { openDeployTest, type DeployTest } from '../deploy/testing.ts';
import {
  getModelVersion,
  importModelFile,
  modelFilePath,
  openModelVersion,
  registerVersion,
  type ModelVersion,
} from './registry.ts';
import { signModelVersion } from './sign.ts';

const lineage = {
  trainingId: 'trn_1',
  datasetId: 'dst_1',
  datasetName: 'houses',
  datasetVersionId: 'dsv_1',
  datasetVersionNumber: 1,
};
const { file } = goldenModels().find(({ format, name }) => format === 2 && name === 'linear-regression')!;
const stranger = await freshSigner();

let server: DeployTest;
let context: Context;
let projectId: string;

before(async () => {
  server = await openDeployTest();
  context = await server.freshWorkspace();
  projectId = await server.freshProject(context);
});
after(() => server?.close());

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function imported(bytes: Uint8Array): Promise<ModelVersion> {
  return importModelFile(context, { projectId, modelName: 'houses', stream: streamOf(bytes) });
}

async function targetOf({ id }: ModelVersion): Promise<string> {
  const { model } = await openModelVersion(context, id);
  assert.ok('manifest' in model);
  return model.manifest.target;
}

/** Makes a version look as if a training of this installation had made it, as someone with the database could. */
async function pretendTrained(version: ModelVersion): Promise<void> {
  await server.services.database.asSystem('test', (transaction) =>
    transaction.execute(
      sql`update model_versions set lineage = ${JSON.stringify({ ...lineage, trainingId: version.id })}::jsonb where id = ${version.id}`,
    ),
  );
}

test('a file that is brought keeps its signature, or has none', async () => {
  assert.equal((await imported(file)).signer, null);
  const version = await imported(await signed(file, stranger));
  assert.equal(version.signer, stranger.publicKey);
  assert.equal(await targetOf(version), 'price');
});

test('a changed file is not registered', async () => {
  const changed = await signed(file, stranger);
  changed[60]! ^= 1;
  await assert.rejects(imported(changed), { code: 'model-file-invalid' });
});

test('what is said to be trained here must be signed here', async () => {
  for (const bytes of [file, await signed(file, stranger)]) {
    const stored = await context.blobs.put(streamOf(bytes), { maxBytes: 1e6 });
    const version = { projectId, modelName: 'houses', fileSha256: stored.sha256, lineage };
    await assert.rejects(registerVersion(context, { ...version, fileSizeBytes: stored.sizeBytes }), {
      code: 'model-file-untrusted',
    });
    const forged = await imported(bytes);
    await pretendTrained(forged);
    await assert.rejects(openModelVersion(context, forged.id), { code: 'model-file-untrusted' });
  }
});

test('any server of the installation may have signed it', async () => {
  const colleague = { ...server.services, signer: fleetingSigner() };
  const version = await imported(await signed(file, colleague.signer));
  await pretendTrained(version);
  await assert.rejects(openModelVersion(context, version.id), { code: 'model-file-untrusted' });
  await readySigner(colleague);
  assert.equal(await targetOf(version), 'price');
});

test('what a withdrawn key signed is not used, until an owner signs it anew: the same model, under the same number', async () => {
  const { services } = server;
  const stolen = await signed(file, await readySigner(services));
  const version = await imported(stolen);
  const withdrawn = services.signer.publicKey;
  assert.deepEqual(version.signature, {
    publicKey: withdrawn,
    keyId: withdrawn.slice(0, 16),
    by: 'this-installation',
    withdrawnAt: null,
  });
  assert.match(version.card, /Who signed the file\n\nSigned with the key .* of this installation/);
  await assert.rejects(signModelVersion(context, version.id), { code: 'wrong-state' });
  await withdraw(withdrawn);

  const withdrawnProblem = { code: 'signing-key-withdrawn', message: /was withdrawn on .*pilvi model sign/ };
  await assert.rejects(openModelVersion(context, version.id), withdrawnProblem);
  await assert.rejects(modelFilePath(context, version.id), withdrawnProblem);
  await assert.rejects(imported(stolen), { code: 'signing-key-withdrawn' });
  const shown = await getModelVersion(context, version.id);
  assert.ok(shown.signature!.withdrawnAt);
  assert.match(shown.card, /But the key was withdrawn/);

  const again = await signModelVersion(context, version.id);
  assert.equal(again.number, version.number);
  assert.equal(again.signature!.publicKey, services.signer.publicKey);
  assert.equal(again.signer, services.signer.publicKey);
  assert.notEqual(again.fileSha256, version.fileSha256);
  assert.equal(await targetOf(again), 'price');
  await assert.rejects(signModelVersion(context, version.id), { code: 'wrong-state' });
  const { items } = await listAuditLines(context, { limit: 50 });
  const line = items.find(({ action, subjectId }) => action === 'key:manage' && subjectId === version.id);
  assert.match(JSON.stringify(line!.details), new RegExp(`${version.fileSha256}.*${withdrawn}`));
});

test('only the file that was registered is signed anew', async () => {
  const { services } = server;
  const unsigned = await imported(file);
  await assert.rejects(signModelVersion(context, unsigned.id), { code: 'wrong-state' });
  await assert.rejects(signModelVersion(context, 'mv_unknown'), { code: 'not-found' });
  const version = await imported(await signed(file, await readySigner(services)));
  await withdraw(services.signer.publicKey);
  // Someone who had the key and the disk puts another model in its place.
  await writeFile(await context.blobs.localPath(version.fileSha256), await signed(file, stranger));
  await assert.rejects(signModelVersion(context, version.id), { code: 'model-file-invalid' });
});

/** Marks a key as withdrawn, as the server's owner would. */
async function withdraw(publicKey: string): Promise<void> {
  await server.services.database.asSystem('test', (transaction) =>
    transaction.execute(sql`update signing_keys set withdrawn_at = now() where public_key = ${publicKey}`),
  );
}
