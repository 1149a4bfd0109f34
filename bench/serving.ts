// One row predicted over HTTP, again and again: what an endpoint manages beside a bare node:http server that reads and
// writes JSON, and beside servers that answer with the very same model as an ONNX file. One client, 10 connections (wrk),
// the servers in turn, several rounds; then 500 requests a second at even distances to see what single ones take.
// Usage: node bench/serving.ts [seconds = 5] [rounds = 3] [servers = echo,ours,fastapi,mlflow,bentoml]
// Needs wrk (Debian's package wrk) and, for the last three, Python 3: their packages are installed by pip the first time.
// Goals: at least half of the echo's requests, three times MLflow's; p50 below 1 ms and p99 below 2.5 ms at 500 a second.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { seededRandom } from '../src/base/random.ts';
import { readModel } from '../src/ml/model/model.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { freePort, startProduct, until, type Product } from '../test/product.ts';
import { importTable } from '../test/world.ts';
import { pythonWith } from './python.ts';

interface Server {
  name: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  /** The processes that answer. */
  processIds: () => Promise<number[]>;
  close: () => Promise<void>;
}

interface Measured {
  perSecond: number;
  /** Processor time of the server for one request; undefined where the system does not tell. */
  cpuMs?: number | undefined;
  medianMs: number;
  slowMs: number;
}

const [secondsText = '5', roundsText = '3', namesText = 'echo,ours,fastapi,mlflow,bentoml'] =
  process.argv.slice(2);
const seconds = Number(secondsText);
const rounds = Number(roundsText);
const connections = 10;
const evenRate = 500;
const columnCount = 14;

const run = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
const servers: Server[] = [];
const product = await startProduct();
try {
  const { endpointId, modelPath, treeCount } = await deployTrees(product);
  const row = Object.fromEntries(nameless(columnCount).map((name, index) => [name, (index + 1) / 16]));
  for (const name of namesText.split(',')) servers.push(await start(name, { endpointId, modelPath, row }));
  console.log(
    `machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}; ${treeCount} trees, ${columnCount} columns`,
  );
  for (const server of servers) console.log(`${server.name} answers ${await answerOf(server)}`);
  await compare();
} finally {
  await Promise.all(servers.map((server) => server.close()));
  await product.close();
  await rm(folder, { recursive: true, force: true });
}

/** Prints medians over the rounds, and their ratio to the first server's. */
async function compare(): Promise<void> {
  const loaded = new Map(servers.map(({ name }) => [name, [] as Measured[]]));
  const even = new Map(servers.map(({ name }) => [name, [] as Measured[]]));
  for (const server of servers) await throughput(server, 2);
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) loaded.get(server.name)!.push(await throughput(server, seconds));
    for (const server of servers) even.get(server.name)!.push(await evenly(server, seconds));
  }
  const first = medianOf(loaded.get(servers[0]!.name)!, ({ perSecond }) => perSecond);
  for (const { name } of servers) {
    const own = loaded.get(name)!;
    const alone = even.get(name)!;
    const perSecond = medianOf(own, (one) => one.perSecond);
    console.log(
      `${name.padEnd(8)} ${perSecond.toFixed(0).padStart(6)} requests/s, ${(perSecond / first).toFixed(3)} of ${servers[0]!.name}; ${medianOf(own, ({ cpuMs }) => cpuMs!).toFixed(3)} ms of processor each; p50 ${ms(own, 'medianMs')}, p99 ${ms(own, 'slowMs')}; at ${evenRate}/s p50 ${ms(alone, 'medianMs')}, p99 ${ms(alone, 'slowMs')}`,
    );
  }
}

function ms(measured: readonly Measured[], field: 'medianMs' | 'slowMs'): string {
  return `${medianOf(measured, (one) => one[field]).toFixed(2)} ms`;
}

function medianOf(measured: readonly Measured[], valueOf: (one: Measured) => number): number {
  return measured.map(valueOf).toSorted((a, b) => a - b)[(measured.length - 1) >> 1]!;
}

async function throughput(server: Server, forSeconds: number): Promise<Measured> {
  const { name, url, headers, body } = server;
  const script = join(folder, `${name}.lua`);
  const lines = Object.entries(headers).map(
    ([key, value]) => `wrk.headers[${quoted(key)}] = ${quoted(value)}`,
  );
  const done = `done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %f %f %f %d %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed, summary.requests))
end`;
  await writeFile(script, [`wrk.method = "POST"`, `wrk.body = ${quoted(body)}`, ...lines, done].join('\n'));
  const words = ['-t1', `-c${connections}`, `-d${forSeconds}s`, '-s', script, url];
  const busyBeforeMs = await processorMs(server);
  const { stdout } = await run('wrk', words);
  const busyMs = (await processorMs(server)) - busyBeforeMs;
  const [perSecond, medianMs, slowMs, failed, requestCount] = /RESULT (.*)/
    .exec(stdout)![1]!
    .split(' ')
    .map(Number);
  if (failed! > 0) throw new Error(`${name}: ${failed} requests failed.\n${stdout}`);
  return {
    perSecond: perSecond!,
    cpuMs: busyMs / requestCount!,
    medianMs: medianMs!,
    slowMs: slowMs!,
  };
}

/** Processor time that a server has used, of all its threads and processes; from Linux' /proc, 10 ms exact. */
async function processorMs({ processIds }: Server): Promise<number> {
  const used = (await processIds()).map(async (id) => {
    const fields = (await readFile(`/proc/${id}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  });
  return (await Promise.all(used)).reduce((sum, ms) => sum + ms, 0);
}

/** The processes of a group, by its leader. */
async function groupOf(leader: number): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const groups = ids.map(async (id) => {
    const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    return Number(stat.replace(/^.*\) /s, '').split(' ')[2]);
  });
  const found = await Promise.all(groups);
  return ids.filter((_, index) => found[index] === leader);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Requests at even distances, whether or not the ones before were answered: waiting counts. */
async function evenly(server: Server, forSeconds: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true });
  const taken: number[] = [];
  const answers: Promise<void>[] = [];
  const beginMs = performance.now();
  for (let index = 0; index < evenRate * forSeconds; index++) {
    const dueMs = beginMs + (index * 1000) / evenRate;
    while (performance.now() < dueMs) await sleep(Math.max(0, dueMs - performance.now() - 0.5));
    const sentMs = performance.now();
    answers.push(post(server, agent).then(() => void taken.push(performance.now() - sentMs)));
  }
  await Promise.all(answers);
  agent.destroy();
  taken.sort((a, b) => a - b);
  return {
    perSecond: evenRate,
    medianMs: taken[taken.length >> 1]!,
    slowMs: taken[Math.floor(taken.length * 0.99)]!,
  };
}

async function answerOf(server: Server): Promise<string> {
  const agent = new Agent();
  const text = await post(server, agent);
  agent.destroy();
  return text.slice(0, 160);
}

function post({ name, url, headers, body }: Server, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        response.statusCode === 200
          ? resolve(text)
          : reject(new Error(`${name}: ${response.statusCode} ${text}`)),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** An endpoint that answers with boosted trees, and their file as ONNX. */
async function deployTrees({ client }: Product) {
  const projectId = (await client.listProjects({})).items[0]!.id;
  const { versionId } = await importTable(client, { projectId, name: 'numbers', content: table() });
  const training = await client.createTraining({
    projectId,
    body: {
      datasetVersionId: versionId,
      target: 'label',
      modelName: 'trees',
      compact: true,
      budget: { seconds: 300, trials: 3 },
    },
  });
  await waitForJob(client, training.jobId);
  const versionOf = async (): Promise<string | null> =>
    (await client.getTraining({ trainingId: training.id })).modelVersionId;
  await until('the training has a model', async () => (await versionOf()) !== null);
  const modelVersionId = await versionOf();
  const { id: endpointId } = await client.createEndpoint({
    projectId,
    body: { name: 'trees', modelVersionId: modelVersionId! },
  });
  const file = await client.downloadModelFile({ versionId: modelVersionId! });
  const bytes = new Uint8Array(await new Response(file.body).arrayBuffer());
  const modelPath = join(folder, 'model.pilvi');
  await writeFile(modelPath, bytes);
  const { members } = await readModel(bytes);
  const treeCount = members
    .flatMap(({ models }) => models)
    .reduce((sum, model) => sum + (model.kind === 'trees' ? model.roots.length : 0), 0);
  return { endpointId, modelPath, treeCount };
}

function table(): string {
  const random = seededRandom(6);
  const lines = [[...nameless(columnCount), 'label'].join()];
  for (let index = 0; index < 5000; index++) {
    const values = Array.from({ length: columnCount }, () => random.next());
    const score = Math.sin(6 * values[0]!) + values[1]! * values[2]! * 2 + 0.7 * (random.next() - 0.5);
    lines.push([...values.map((value) => value.toFixed(4)), score > 0.8 ? 'yes' : 'no'].join());
  }
  return `${lines.join('\n')}\n`;
}

function nameless(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `x${index + 1}`);
}

async function start(
  name: string,
  { endpointId, modelPath, row }: { endpointId: string; modelPath: string; row: Record<string, number> },
): Promise<Server> {
  const json = { 'content-type': 'application/json' };
  const rows = JSON.stringify({ rows: [row] });
  if (name === 'ours')
    return {
      name,
      url: `${product.url}/api/v1/endpoints/${endpointId}/predictions`,
      headers: { ...json, authorization: `Bearer ${product.token}` },
      body: rows,
      processIds: () => Promise.resolve([product.processId()]),
      close: () => Promise.resolve(),
    };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  if (name === 'echo') {
    const program = fileURLToPath(new URL('serving-echo.ts', import.meta.url));
    return await running({ name, url, headers: json, body: rows }, process.execPath, [program, String(port)]);
  }
  const onnxPath = join(folder, 'model.onnx');
  const pilvi = fileURLToPath(new URL('../src/programs/cli/pilvi.ts', import.meta.url));
  await run(process.execPath, [pilvi, 'export', modelPath, '--out', onnxPath]);
  const program = fileURLToPath(new URL(`serving-${name}.py`, import.meta.url));
  if (name === 'fastapi') {
    const python = pythonWith(['fastapi', 'uvicorn', 'httptools', 'uvloop', 'onnxruntime'], 'serving');
    return await running({ name, url: `${url}/predict`, headers: json, body: rows }, python, [
      program,
      onnxPath,
      String(port),
    ]);
  }
  if (name === 'mlflow') {
    const python = pythonWith(['mlflow', 'onnxruntime', 'pandas'], 'serving-mlflow');
    const saved = join(folder, 'mlflow');
    await run(python, [program, onnxPath, saved]);
    const body = JSON.stringify({ dataframe_records: [row] });
    const words = ['-m', 'mlflow', 'models', 'serve', '--model-uri', saved, '--port', String(port)];
    return await running(
      { name, url: `${url}/invocations`, headers: json, body },
      python,
      [...words, '--env-manager', 'local', '--workers', '1'],
      // It starts uvicorn by its name.
      { PATH: `${dirname(python)}:${process.env['PATH']}` },
    );
  }
  if (name === 'bentoml') {
    const python = pythonWith(['bentoml', 'onnxruntime', 'numpy'], 'serving-bentoml');
    const words = ['-m', 'bentoml', 'serve', 'serving-bentoml:Trees', '--working-dir', dirname(program)];
    return await running(
      { name, url: `${url}/predict`, headers: json, body: rows },
      python,
      [...words, '--host', '127.0.0.1', '--port', String(port)],
      { BENCH_MODEL: onnxPath, BENTOML_HOME: join(folder, 'bentoml'), BENTOML_DO_NOT_TRACK: 'True' },
    );
  }
  throw new Error(`There is no server "${name}". Known are echo, ours, fastapi, mlflow and bentoml.`);
}

type Asked = Omit<Server, 'close' | 'processIds'>;

async function running(
  asked: Asked,
  program: string,
  words: string[],
  environment: Record<string, string> = {},
): Promise<Server> {
  // A group of its own: some servers start others, which would stay behind.
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    cwd: folder,
    // Some start programs that lie beside their interpreter.
    env: { ...process.env, PATH: `${dirname(program)}:${process.env['PATH']}`, ...environment },
  });
  let printed = '';
  child.stderr!.on('data', (text: Buffer) => (printed += String(text)));
  const server: Server = {
    ...asked,
    processIds: () => groupOf(child.pid!),
    close: () => endGroup(child),
  };
  try {
    await until(`${server.name} answers`, () =>
      answerOf(server).then(
        () => true,
        () => child.exitCode === null && Promise.resolve(false),
      ),
    );
  } catch (error) {
    await server.close();
    throw new Error(`${server.name} does not answer:\n${printed}`, { cause: error });
  }
  return server;
}

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid!, 'SIGTERM');
  await ended;
}
