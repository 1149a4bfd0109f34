// `node test/with-s3.ts COMMAND [ARGUMENT...]`: runs the command with an S3 server of its own on the loopback
// interface (moto, https://docs.getmoto.org), named by PILVI_TEST_S3_ENDPOINT, PILVI_TEST_S3_BUCKET and the keys.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { pythonPrograms } from './python.ts';
import { freePort, runBeside, type Throwaway } from './throwaway.ts';

const credentials = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' };
const region = 'us-east-1';
const bucket = 'pilvi-test';

await runBeside(process.argv.slice(2), startS3);

async function startS3(folder: string): Promise<Throwaway | { missing: string }> {
  const programs = pythonPrograms('moto-5.2.5');
  if (programs === undefined)
    return { missing: 'moto cannot be installed (needs python3 with venv): the S3 suite is skipped.' };
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(join(programs, 'moto_server'), ['-H', '127.0.0.1', '-p', String(port)], {
    cwd: folder,
    stdio: 'ignore',
  });
  return {
    process: child,
    environment: {
      PILVI_TEST_S3_ENDPOINT: endpoint,
      PILVI_TEST_S3_BUCKET: bucket,
      PILVI_TEST_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      PILVI_TEST_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    probe: async () => {
      const client = new AwsClient({ ...credentials, service: 's3', region, retries: 0 });
      const response = await client.fetch(`${endpoint}/${bucket}`, { method: 'PUT' });
      if (!response.ok) throw new Error(`the bucket could not be made: ${response.status}`);
    },
    stopSignal: 'SIGTERM',
  };
}
