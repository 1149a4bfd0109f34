// Real services for tests: a migrated database, blobs in a temporary folder, a silent log, the real clock. Whoever
// owns jobs, the meter or the egress client passes theirs in; using one that was not passed fails the test.
import { Metrics } from './telemetry/metrics.ts';
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { AssertionFailure } from '../base/assert.ts';
import { idSource } from '../base/ids.ts';
import { systemClock } from '../base/time.ts';
import type { Actor, Context, Limits, Services } from './context.ts';
import { createContext } from './context-factory.ts';
import { migrationHashes } from './database/migrate.ts';
import { openFileBlobs } from './drivers/file-blobs.ts';
import { openLog } from './drivers/log.ts';
import { makePgliteTemplate, openPglite } from './drivers/pglite.ts';
import { openPostgres } from './drivers/postgres.ts';
import { noMail } from './drivers/smtp-mail.ts';
import type { Database } from './ports/database.ts';
import type { Log } from './ports/log.ts';
import { fleetingSigner } from './security/signing/key-file.ts';

export interface TestServices {
  services: Services;
  /** A context as an owner of a fresh workspace, unless told otherwise. The workspace has no row of its own. */
  contextFor(who?: {
    workspaceId?: string;
    projectId?: string | null;
    actor?: Actor;
    signal?: AbortSignal;
  }): Context;
  /** Closes and removes everything. */
  close(): Promise<void>;
}

/** What tests may replace, and which database they want: `postgres` needs `PILVI_TEST_POSTGRES_URL`. */
export type TestServicesOptions = Partial<Omit<Services, 'database'>> & {
  database?: Database | 'pglite' | 'postgres';
};

/** Opens services for one test file; close them after. */
export async function openTestServices({
  database: wanted = 'pglite',
  ...replaced
}: TestServicesOptions = {}): Promise<TestServices> {
  const log = replaced.log ?? openLog({ level: 'silent' });
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-test-'));
  const opened = typeof wanted === 'string' ? await openTestDatabase(wanted, log) : undefined;
  const services: Services = {
    database: opened?.database ?? (wanted as Database),
    blobs: await openFileBlobs({ folder }),
    jobs: absent('jobs'),
    modelServers: absent('modelServers'),
    meter: absent('meter'),
    egress: absent('egress'),
    mail: noMail(),
    signer: fleetingSigner(),
    log,
    clock: systemClock,
    newId: idSource(),
    metrics: new Metrics(),
    limits: testLimits,
    ...replaced,
  };
  return {
    services,
    contextFor: (who = {}) => {
      const { newId } = services;
      const actor = who.actor ?? { kind: 'user', id: newId('user'), sessionId: newId('session') };
      return createContext(services, {
        actor,
        workspaceId: who.workspaceId ?? newId('workspace'),
        projectId: who.projectId ?? (actor.kind === 'key' ? actor.projectId : null),
        requestId: newId('request'),
        signal: who.signal ?? new AbortController().signal,
      });
    },
    close: async () => {
      await opened?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A small disk of its own, mounted at a folder. */
export interface SmallDisk {
  resize(mebibytes: number): void;
  unmount(): void;
}

/** Mounts a disk of so many MiB at `folder`, which is there; skips the test and returns undefined where it cannot. */
export function mountSmallDisk(
  context: TestContext,
  folder: string,
  mebibytes: number,
): SmallDisk | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    context.skip('a small disk cannot be mounted here: needs Linux and root');
    return undefined;
  }
  return {
    resize: (size) => void execFileSync('mount', ['-o', `remount,size=${size}m`, folder]),
    unmount: () => void execFileSync('umount', [folder]),
  };
}

/** The address of a real Postgres server for tests, where there is one (`test/with-postgres.ts` starts one). */
export const testPostgresUrl = process.env['PILVI_TEST_POSTGRES_URL'];

/** A migrated, empty database of its own. */
export async function openTestDatabase(
  dialect: Database['dialect'],
  log: Log,
): Promise<{ database: Database; close(): Promise<void> }> {
  if (dialect === 'pglite') {
    const database = await openPglite({ storage: 'memory', log, template: await migratedTemplate() });
    return { database, close: () => database.close() };
  }
  const fresh = await createPostgresDatabase();
  const database = await openPostgres({ url: fresh.url, log });
  return {
    database,
    close: async () => {
      await database.close();
      await fresh.drop();
    },
  };
}

/** An empty database on the test server. */
export async function createPostgresDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  if (testPostgresUrl === undefined) throw new AssertionFailure('PILVI_TEST_POSTGRES_URL is not set');
  const name = `pilvi_test_${randomUUID().replaceAll('-', '')}`;
  await onTestServer(`create database ${name}`);
  const url = new URL(testPostgresUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onTestServer(`drop database ${name} with (force)`) };
}

async function onTestServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testPostgresUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

// Making a Postgres data folder takes the embedded database seconds, loading one a fraction: the migrated folder is
// kept between test runs for as long as PGlite, its driver and the migrations stay the same.
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/pilvi', import.meta.url));
const templateSources = [
  new URL('../package.json', import.meta.resolve('@electric-sql/pglite')),
  new URL('./drivers/pglite-worker.ts', import.meta.url),
];

/** A migrated, empty data folder for the embedded database. */
export async function migratedTemplate(): Promise<Blob> {
  const key = createHash('sha256').update((await migrationHashes()).join());
  for (const source of templateSources) key.update(await readFile(source));
  const name = `template-${key.digest('hex').slice(0, 16)}.tar`;
  const path = join(cacheFolder, name);
  try {
    return new Blob([await readFile(path)]);
  } catch {
    const template = await makePgliteTemplate();
    await mkdir(cacheFolder, { recursive: true });
    await writeFile(`${path}.${process.pid}`, Buffer.from(await template.arrayBuffer()));
    await rename(`${path}.${process.pid}`, path);
    const older = (await readdir(cacheFolder)).filter(
      (file) => file.startsWith('template-') && file !== name,
    );
    await Promise.all(older.map((file) => rm(join(cacheFolder, file), { force: true })));
    return template;
  }
}

/** Stands for a service that the test did not pass in. */
function absent<T extends object>(name: string): T {
  const refuse = (): never => {
    throw new AssertionFailure(`this test uses ${name}: pass it to openTestServices`);
  };
  return new Proxy({} as T, { get: refuse });
}

const mib = 1_048_576;

const testLimits: Limits = {
  maxUploadBytes: 256 * mib,
  maxColumns: 4096,
  maxFieldBytes: mib,
  maxDecompressionRatio: 200,
  maxPredictionRows: 10_000,
  maxQuerySeconds: 30,
  maxQueryRows: 10_000,
  taskMemoryBytes: 2048 * mib,
  importFolders: [],
};
