// A thousand first calls at the same moment to an endpoint that nobody asked yet: how many fail, how often the model is
// read, and what they take, with a model that answers in the server's process and with one that answers apart. The client
// has a connection for each call and a process of its own. On a machine that does other work, too, look at the processor
// time: what a quiet one would need at least.
//   node bench/cold-start.ts [calls = 1000] [rounds = 3] [trees = 1120, a file of 10 MB]
// Goal: no error, one load, p99 below 250 ms for a model of 10 MB.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeModel } from '../src/ml/model/model.ts';
import { startProduct, until } from '../test/product.ts';
import { featureCount, forest } from './forest.ts';

const [callsText = '1000', roundsText = '3', treesText = '1120'] = process.argv.slice(2);
const callCount = Number(callsText);
const rounds = Number(roundsText);
const clockTicksPerSecond = 100;

const file = await writeModel(forest(Number(treesText)));
const row = Object.fromEntries(Array.from({ length: featureCount }, (_, index) => [`x${index}`, index / 32]));
const body = JSON.stringify({ rows: [row] });
const product = await startProduct();
try {
  const { client } = product;
  const projectId = (await client.listProjects({})).items[0]!.id;
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}; a file of ${(file.length / 1e6).toFixed(1)} MB, ${callCount} calls`,
  );
  for (let round = 0; round < rounds; round++)
    for (const place of ['in-process', 'apart'] as const) {
      const endpointId = await freshEndpoint(projectId, `cold-${place}-${round}`);
      await client.setServingSettings({ endpointId, body: { place } });
      // What was done for this endpoint so far is over, such as its model's checks.
      await sleep(1000);
      await allAtOnce(`${place}, cold`, endpointId);
      await allAtOnce(`${place}, warm`, endpointId);
      await client.deleteEndpoint({ endpointId });
      await sleep(1000);
    }
} finally {
  await product.close();
}

async function freshEndpoint(projectId: string, name: string): Promise<string> {
  const stream = new Blob([Uint8Array.from(file)]);
  const { id: modelVersionId } = await product.client.importModelFile({ projectId, modelName: name, stream });
  return (await product.client.createEndpoint({ projectId, body: { name, modelVersionId } })).id;
}

async function allAtOnce(label: string, endpointId: string): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: callCount });
  const path = `/api/v1/endpoints/${endpointId}`;
  // A connection for each call, open and known to the server before the calls begin.
  await Promise.all(Array.from({ length: callCount }, () => call(agent, 'GET', '/healthz')));
  const before = costsOf(product.processId());
  const taken = await Promise.all(
    Array.from({ length: callCount }, () => call(agent, 'POST', `${path}/predictions`)),
  );
  const after = costsOf(product.processId());
  agent.destroy();
  const failed = taken.filter(({ status }) => status !== 200);
  const sorted = taken.map(({ ms }) => ms).toSorted((a, b) => a - b);
  const at = (share: number): string => sorted[Math.floor((callCount - 1) * share)]!.toFixed(0);
  let state = '';
  await until('its state is known', async () => {
    const [version] = (await product.client.getServingStatus({ endpointId })).versions;
    state = `${version!.replicas.ready} processes of its own`;
    return version!.state === 'warm';
  });
  const readMb = (after.readBytes - before.readBytes) / 1e6;
  console.log(
    `${label.padEnd(16)} ${failed.length} failed; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; server: ${after.cpuMs - before.cpuMs} ms of processor time, ${readMb.toFixed(1)} MB read, ${state}; load ${loadavg()[0]!.toFixed(1)}`,
  );
  for (const { status, text } of failed.slice(0, 1)) console.log(`  such as ${status} ${text}`);
}

function call(
  agent: Agent,
  method: 'GET' | 'POST',
  path: string,
): Promise<{ status: number; ms: number; text: string }> {
  const beganMs = performance.now();
  const headers = {
    authorization: `Bearer ${product.token}`,
    ...(method === 'POST' && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, product.url), { method, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, ms: performance.now() - beganMs, text }),
      );
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}

/** What a process used so far, its children apart; see proc(5). */
function costsOf(pid: number): { cpuMs: number; readBytes: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const readBytes = Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
  return { cpuMs: Math.round((ticks * 1000) / clockTicksPerSecond), readBytes };
}
