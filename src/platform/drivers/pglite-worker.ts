// The thread in which the embedded database runs, so that no statement, checkpoint or disk holds up the requests of
// the server. It passes bytes of the Postgres protocol to the engine and back, one message at a time.
//
// When the engine fails, the thread ends, and the engine recovers from its write-ahead log when it is opened again
// (pglite-engine.ts). A full disk counts as failure: where a Postgres server would end itself, PGlite goes on, with a
// session that refuses everything.
import { existsSync, fsyncSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { assert, present } from '../../base/assert.ts';

/** What the thread is started with. */
export interface EngineSettings {
  /** Where the data lies; null keeps it in memory. */
  folder: string | null;
  /** A data folder as a tar file, for a database that is new. */
  template: Blob | null;
}

export type EngineQuestion = { kind: 'exchange'; bytes: Uint8Array } | { kind: 'dump' } | { kind: 'close' };

/** A question to the thread, which answers each once. */
export type EngineRequest = EngineQuestion & { id: number };

/** Request 0 is the start itself. */
export type EngineAnswer = {
  id: number;
  /** Whether the thread ends with this answer. */
  isLast: boolean;
} & ({ bytes: Uint8Array<ArrayBuffer> } | { failure: { message: string; stack: string } });

const port = present(parentPort, 'port to the main thread');
const { folder, template } = workerData as EngineSettings;

// Postgres as a guest: one session and a small working set. What initdb would choose takes 150 MB more.
const settings = [
  'shared_buffers=16MB',
  'wal_buffers=1MB',
  'max_connections=10',
  'max_wal_senders=0',
  'max_wal_size=64MB',
  'min_wal_size=32MB',
  'wal_sync_method=fsync',
];
const options: PGliteOptions = {
  // PGlite's own settings, but for the one that switches fsync off.
  startParams: [
    ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
    ...settings.flatMap((setting) => ['-c', setting]),
  ],
  initDbStartParams: ['--wal-segsize=4', '--no-sync'],
};

// V8 compiles WebAssembly quickly first, and thoroughly what has run for a while. Of Postgres so much runs in the first
// second that half a gibibyte and both cores go into compiling while the server starts (docs/benchmarks.md). With this
// budget, in bytes run, only what stays busy is compiled again; statements were no slower for it. It holds for modules
// that are loaded meanwhile; later ones get V8's own.
setFlagsFromString('--wasm-tiering-budget=2000000000');
const engine = await openEngine();
setFlagsFromString('--wasm-tiering-budget=1800000');

answer({ id: 0, isLast: false, bytes: new Uint8Array() });
port.on('message', (request: EngineRequest) => void serve(request));

async function openEngine(): Promise<PGlite> {
  if (folder === null) return start({ dataDir: 'memory://', ...(template && { loadDataDir: template }) });
  if (!existsSync(join(folder, 'PG_VERSION'))) await makeFolder(folder);
  const opened = await start({ dataDir: folder });
  syncFiles(opened);
  return opened;
}

/** Makes the data folder under another name first: one whose making was cut short is never taken for a database. */
async function makeFolder(target: string): Promise<void> {
  const unfinished = `${target}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  const made = await start({ dataDir: unfinished, ...(template && { loadDataDir: template }) });
  await made.close();
  renameSync(unfinished, target);
}

async function start(place: PGliteOptions): Promise<PGlite> {
  const started = new PGlite({ ...options, ...place });
  await started.waitReady;
  return started;
}

/**
 * Lets Postgres' fsync reach the disk, so that commits survive a power cut: PGlite's view of the file system
 * (emscripten's NODEFS) has all calls but this one.
 */
function syncFiles(opened: PGlite): void {
  const { stream_ops: operations } = opened.Module.NODEFS as unknown as NodeFileSystem;
  assert(operations.write !== undefined, "the file system is not emscripten's");
  operations.fsync = ({ nfd }) => {
    fsyncSync(nfd);
    return 0;
  };
}

interface NodeFileSystem {
  stream_ops: { write?: unknown; fsync?: (stream: { nfd: number }) => number };
}

async function serve(request: EngineRequest): Promise<void> {
  try {
    const bytes = await perform(request);
    const isLast = request.kind === 'close' || hasFailed(bytes);
    answer({ id: request.id, isLast, bytes });
    if (isLast) process.exit();
  } catch (error) {
    // Errors of statements are answers: whatever is thrown means that the engine has stopped.
    const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    answer({ id: request.id, isLast: true, failure: { message, stack } });
    process.exit();
  }
}

/** Whether an answer holds an error that the session does not survive. */
function hasFailed(answered: Uint8Array): boolean {
  const bytes = Buffer.from(answered.buffer, answered.byteOffset, answered.byteLength);
  // Each message is a letter and the length of the rest; `E` is an error, whose fields are letters and texts.
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    if (bytes[at] !== errorResponse) continue;
    const fields = bytes.toString('utf8', at + 5, at + 1 + bytes.readInt32BE(at + 1)).split('\0');
    if (fields.some((field) => fatalFields.has(field))) return true;
  }
  return false;
}

const errorResponse = 0x45;
/** Severity (V) and code (C) of such errors; 53100 is a full disk. */
const fatalFields = new Set(['VFATAL', 'VPANIC', 'C53100']);

async function perform(request: EngineRequest): Promise<Uint8Array<ArrayBuffer>> {
  switch (request.kind) {
    case 'exchange':
      return (await engine.execProtocolRaw(request.bytes)) as Uint8Array<ArrayBuffer>;
    case 'dump':
      return new Uint8Array(await (await engine.dumpDataDir('none')).arrayBuffer());
    case 'close':
      await engine.close();
      return new Uint8Array();
    default:
      return request satisfies never;
  }
}

function answer(message: EngineAnswer): void {
  port.postMessage(message, 'bytes' in message ? [message.bytes.buffer] : []);
}
