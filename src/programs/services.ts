// Builds the outside world from the configuration: which database, which blobs, how much of everything.
// Used by the server and by `pilvi worker`; nothing else chooses drivers.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Limits } from '../platform/context.ts';
import { openFileBlobs } from '../platform/drivers/file-blobs.ts';
import { openLog } from '../platform/drivers/log.ts';
import { noMail, openSmtpMail } from '../platform/drivers/smtp-mail.ts';
import type { Blobs } from '../platform/ports/blobs.ts';
import type { Database } from '../platform/ports/database.ts';
import type { Log } from '../platform/ports/log.ts';
import type { Mail } from '../platform/ports/mail.ts';
import { openSigner, type RenewableSigner } from '../platform/security/signing/key-file.ts';
import type { Configuration } from './configuration.ts';

const mebibyte = 1_048_576;
const gibibyte = 1024 * mebibyte;

/** Folders below PILVI_HOME. */
export interface HomeFolders {
  database: string;
  files: string;
  /** Copies of remote blobs; may be removed at any time. */
  cache: string;
  work: string;
  /** Logged predictions that are not in a Parquet file yet. */
  predictionLog: string;
}

/** What the product stands on. */
export interface Outside {
  folders: HomeFolders;
  log: Log;
  database: Promise<Database>;
  blobs: Promise<Blobs>;
  signer: Promise<RenewableSigner>;
}

/** Begins to open what the configuration names, and returns when it is under way; `opened` closes it again. */
export async function openOutside(
  configuration: Configuration,
  opened: AsyncDisposableStack,
): Promise<Outside> {
  const log = openLog({ level: configuration.PILVI_LOG_LEVEL });
  const folders = makeHome(configuration);
  const begin = await databaseDriver(configuration, folders, log);
  const database = begin();
  opened.defer(async () => (await database.catch(() => undefined))?.close());
  const blobs = openBlobs(configuration, folders);
  // Awaited later; a failure must not be unhandled until then.
  const signer = openSigner(configuration.PILVI_HOME);
  for (const opening of [database, blobs, signer]) opening.catch(() => undefined);
  return { folders, log, database, blobs, signer };
}

/** The bounds of this installation. */
export function limitsOf(configuration: Configuration): Limits {
  return {
    maxUploadBytes: Math.floor(configuration.PILVI_MAX_UPLOAD_GIB * gibibyte),
    maxColumns: 10_000,
    maxFieldBytes: 16 * mebibyte,
    maxDecompressionRatio: 200,
    maxPredictionRows: 10_000,
    maxQuerySeconds: 30,
    maxQueryRows: 100_000,
    taskMemoryBytes: configuration.PILVI_TASK_MEMORY_MIB * mebibyte,
    importFolders: configuration.PILVI_IMPORT_FOLDERS,
  };
}

/** How people are told of what happens while they are not looking. */
export function openMail({ SMTP_URL: url, SMTP_FROM: from }: Configuration): Mail {
  return url === undefined ? noMail() : openSmtpMail({ url, from: from! });
}

/** Makes the home and says where its parts are. */
function makeHome({ PILVI_HOME: home }: Configuration): HomeFolders {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  return {
    database: join(home, 'database'),
    files: join(home, 'files'),
    cache: join(home, 'cache'),
    work: join(home, 'work'),
    predictionLog: join(home, 'prediction-log'),
  };
}

/** What opens the database that the configuration names; drivers load only when they are used. */
async function databaseDriver(
  { DATABASE_URL: url }: Configuration,
  folders: HomeFolders,
  log: Log,
): Promise<() => Promise<Database>> {
  if (url === undefined) {
    const { openPglite } = await import('../platform/drivers/pglite.ts');
    return () => openPglite({ storage: { folder: folders.database }, log });
  }
  const { openPostgres } = await import('../platform/drivers/postgres.ts');
  return () => openPostgres({ url, log });
}

/** Where files are kept. */
async function openBlobs(configuration: Configuration, folders: HomeFolders): Promise<Blobs> {
  const { S3_BUCKET, S3_ENDPOINT, S3_REGION, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = configuration;
  if (S3_BUCKET === undefined) return await openFileBlobs({ folder: folders.files });
  const { openS3Blobs } = await import('../platform/drivers/s3-blobs.ts');
  return await openS3Blobs({
    bucket: S3_BUCKET,
    endpoint: S3_ENDPOINT,
    region: S3_REGION,
    accessKeyId: S3_ACCESS_KEY_ID!,
    secretAccessKey: S3_SECRET_ACCESS_KEY!,
    cacheFolder: folders.cache,
  });
}
