// A day of predictions in minutes: the clock that everything is handed is moved on by ten seconds at a time, and between two
// moves come the requests of those ten seconds, more by day than by night, over HTTP by the short way in. Each hour
// the memory is measured after a collection; a line through the hours says whether it grows. At the end every request must
// have been counted, paid and logged exactly once. Real: HTTP, database, ledger, log with its Parquet parts; not
// there: the check of keys.
// Usage: node --expose-gc bench/traffic.ts [hours = 24] [requests a second on average = 2]
// Goals: no growth of memory (below 0.5 MiB an hour), counts exact to the request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listCharges } from '../src/capabilities/billing/billing.ts';
import { hourMs, secondMs, type Clock } from '../src/base/time.ts';
import { getEndpoint } from '../src/pipeline/deploy/deploy.ts';
import { loggedParts } from '../src/pipeline/predict/log/log.ts';
import { openLogTest } from '../src/pipeline/predict/log/testing.ts';
import { predictRoutes } from '../src/pipeline/predict/routes.ts';
import type { Context } from '../src/platform/context.ts';
import { createContext } from '../src/platform/context-factory.ts';
import { openDirectWay } from '../src/platform/http/direct.ts';

const hours = Number(process.argv[2] ?? 24);
const averagePerSecond = Number(process.argv[3] ?? 2);
const stepMs = 10 * secondMs;
const connections = 10;
const collect = globalThis.gc;
assert(collect, 'run it with --expose-gc');

const startMs = Date.UTC(2026, 0, 1);
let elapsedMs = 0;
const clock: Clock = {
  nowMs: () => startMs + elapsedMs,
  monotonicMs: () => elapsedMs,
};

const opened = await openLogTest({ clock });
try {
  const { context, endpointId } = await opened.freshEndpoint();
  const { port, close } = await listen(context);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const url = `http://127.0.0.1:${port}/api/v1/endpoints/${endpointId}/predictions`;
  const beganMs = performance.now();
  const memory: { hour: number; heapMiB: number; residentMiB: number }[] = [];
  let sentCount = 0;
  let owed = 0;
  for (let hour = 0; hour < hours; hour++) {
    const endMs = (hour + 1) * hourMs;
    for (; elapsedMs < endMs; elapsedMs += stepMs) {
      // Twice the average at noon, nothing at midnight.
      owed +=
        (averagePerSecond * stepMs * (1 - Math.cos((2 * Math.PI * elapsedMs) / (24 * hourMs)))) / secondMs;
      const due = Math.floor(owed);
      owed -= due;
      await inParallel(due, (index) => ask(url, agent, sentCount + index));
      sentCount += due;
      await opened.meter.tend();
    }
    collect();
    memory.push({
      hour: hour + 1,
      heapMiB: process.memoryUsage().heapUsed / 1_048_576,
      residentMiB: process.memoryUsage.rss() / 1_048_576,
    });
    const { heapMiB, residentMiB } = memory.at(-1)!;
    console.log(
      `hour ${hour + 1}: ${sentCount} requests, heap ${heapMiB.toFixed(1)} MiB, resident ${residentMiB.toFixed(0)} MiB, ${((performance.now() - beganMs) / 1000).toFixed(0)} s`,
    );
  }
  agent.destroy();
  await close();
  const parts = await loggedParts(context, { endpointId, isFresh: true });
  const loggedCount = parts.predictions.reduce((sum, { rowCount }) => sum + rowCount, 0);
  await opened.closeLog();
  await opened.meter.close();
  const { predictionCount } = await getEndpoint(context, endpointId);
  const chargedCount = await charged(context);
  console.log(`sent ${sentCount}: counted ${predictionCount}, paid ${chargedCount}, logged ${loggedCount}`);
  // The first hours fill caches.
  const settled = memory.slice(Math.min(3, Math.floor(memory.length / 2)));
  console.log(
    `growth an hour: heap ${slope(settled.map(({ heapMiB }) => heapMiB)).toFixed(3)} MiB, resident ${slope(settled.map(({ residentMiB }) => residentMiB)).toFixed(2)} MiB`,
  );
  assert.deepEqual([predictionCount, chargedCount, loggedCount], [sentCount, sentCount, sentCount]);
} finally {
  await opened.close();
}

/** A server of the short way in, on which everyone is the owner of `context`. */
async function listen(context: Context): Promise<{ port: number; close: () => Promise<void> }> {
  const { actor, workspaceId } = context;
  const direct = openDirectWay({
    routes: predictRoutes,
    services: context,
    gate: {
      guard: () => undefined,
      admit: async () => ({ actor, workspaceId, projectId: null }),
      headers: () => ({}),
    },
    createContext: (who) => createContext(opened.services, who),
    clientAddress: (_, peerAddress) => peerAddress,
    stopping: new AbortController().signal,
  });
  const server = createServer((request, response) => {
    if (!direct.take(request, response)) response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      direct.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

function ask(url: string, agent: Agent, index: number): Promise<void> {
  const body = JSON.stringify({ rows: [{ age: 20 + (index % 60), city: ['Turku', 'Oulu'][index % 2] }] });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = httpRequest(url, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`a request was answered with ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function charged(context: Context): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const page = await listCharges(context, { limit: 200, cursor });
    for (const { unit, quantity } of page.items) if (unit === 'prediction') count += quantity;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return count;
}

/** Of the line through values at even distances, by least squares. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let above = 0;
  let below = 0;
  for (const [index, value] of values.entries()) {
    above += (index - middle) * value;
    below += (index - middle) ** 2;
  }
  return below === 0 ? 0 : above / below;
}
