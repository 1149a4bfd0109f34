// Whose model files a server serves: its own when they were trained here, whatever was brought with the signature that it
// was brought with.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { goldenModels } from '../../ml/model/testing/golden.ts';
import { freshSigner, signed } from '../../ml/model/testing/mend.ts';
import type { Context } from '../../platform/context.ts';
import { fleetingSigner } from '../../platform/security/signing/key-file.ts';
import { publishSigningKey } from '../../platform/security/signing/signing.ts';
import { openDeployTest, type DeployTest } from '../deploy/testing.ts';
import { importModelFile, openModelVersion, registerVersion, type ModelVersion } from './registry.ts';

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
  await publishSigningKey(colleague);
  assert.equal(await targetOf(version), 'price');
});
