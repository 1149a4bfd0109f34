// The memory that importing a large CSV takes, as a user brings it: uploaded to a running server, imported and
// profiled. Usage: node bench/import-memory.ts [megabytes]
// Prints the peak resident memory of the server and of its worker process; goal: each under 600 MiB for 2 GiB.
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { uploadFile } from '../src/sdk/upload.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { processesMentioning, startProduct } from '../test/product.ts';
import { writeOrders } from './orders.ts';

const megabytes = Number(process.argv[2] ?? 2147);
const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
const product = await startProduct();
// A start has a peak of its own, which is not what is measured here: forgets it.
await sleep(3000);
await writeFile(`/proc/${product.processId()}/clear_refs`, '5');
const { client } = product;
/** By process: the name of its program and its peak. */
const peaks = new Map<string, { isServer: boolean; mebibytes: number }>();
const watching = setInterval(() => void look(), 500);
try {
  const path = join(folder, 'orders.csv');
  await writeOrders(path, megabytes * 1e6);
  const projectId = (await client.listProjects({})).items[0]!.id;
  const begunMs = performance.now();
  const upload = await uploadFile(client, {
    projectId,
    file: await openAsBlob(path),
    fileName: 'orders.csv',
  });
  const uploadedMs = performance.now();
  const { version, jobId } = await client.createDataset({
    projectId,
    body: { name: 'orders', source: { kind: 'upload', uploadId: upload.id }, options: {} },
  });
  await waitForJob(client, jobId);
  const importedMs = performance.now();
  await look();
  const { rowCount } = await client.getDatasetVersion({ versionId: version.id });
  const peak = (isServer: boolean): string =>
    Math.max(
      ...[...peaks.values()].filter((one) => one.isServer === isServer).map((one) => one.mebibytes),
    ).toFixed(0);
  console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
  console.log(
    `${megabytes} MB, ${rowCount} rows: uploaded in ${seconds(uploadedMs - begunMs)}, imported in ${seconds(importedMs - uploadedMs)}`,
  );
  console.log(`peak resident memory: server ${peak(true)} MiB, worker ${peak(false)} MiB; goal < 600 MiB`);
} finally {
  clearInterval(watching);
  await product.close();
  await rm(folder, { recursive: true, force: true });
}

/** Notes the peak (VmHWM of proc(5)) of every process of the product. */
async function look(): Promise<void> {
  for (const line of await processesMentioning(product.home)) {
    const id = line.split(':', 1)[0]!;
    const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
    const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(status)?.[1];
    if (kibibytes === undefined) continue;
    peaks.set(id, { isServer: Number(id) === product.processId(), mebibytes: Number(kibibytes) / 1024 });
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
