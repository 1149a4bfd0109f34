// What a command works with: how to answer, the signal of Ctrl-C, and, made when first asked for, the client of the
// server and the project to work in.
import type { Client } from '../../sdk/types.ts';
import { UsageError } from './failure.ts';
import type { Configuration } from '../configuration.ts';
import { readRunning } from './running.ts';
import { startProgress, type Progress } from './progress.ts';
import { note, styled } from './terminal.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  url?: string;
  project?: string;
}

export interface Session {
  /** The answer is one JSON document on stdout. */
  json: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  configuration(): Promise<Configuration>;
  /** The server of `--url` or PILVI_URL, else the one that runs on this machine. */
  client(): Promise<Client>;
  /** The id of the project: `--project`, else PILVI_PROJECT, else the only one there is. */
  projectId(): Promise<string>;
  progress(): Progress;
}

/** A session for one command. */
export function openSession(options: GlobalOptions, signal: AbortSignal): Session {
  const session: Session = {
    json: options.json === true,
    signal,
    configuration: once(loadConfiguration),
    client: once(async () => {
      const { createClient } = await import('../../sdk/client.ts');
      const configuration = await session.configuration();
      const { url, key } = await serverOf(configuration, options.url);
      return createClient({ baseUrl: url, token: key, workspaceId: configuration.PILVI_WORKSPACE });
    }),
    projectId: once(async () => {
      const { findProject } = await import('./find.ts');
      const [client, configuration] = await Promise.all([session.client(), session.configuration()]);
      return (await findProject(client, options.project ?? configuration.PILVI_PROJECT)).id;
    }),
    progress: () => startProgress(),
  };
  return session;
}

/** The configuration; warnings about it go to stderr. */
export async function loadConfiguration(environment = process.env): Promise<Configuration> {
  const { readConfiguration } = await import('../configuration.ts');
  const { configuration, warnings } = readConfiguration(environment);
  for (const warning of warnings) note(`${styled('yellow', 'warning:', process.stderr)} ${warning}`);
  return configuration;
}

/**
 * Which server, and with which key: what was said, else the server that runs on this machine. Its key is sent to that
 * very address and nowhere else.
 */
async function serverOf(
  configuration: Configuration,
  given: string | undefined,
): Promise<{ url: string; key: string | undefined }> {
  if (given !== undefined && !URL.canParse(given)) {
    throw new UsageError(`"${given}" is not an address, such as http://127.0.0.1:4700`);
  }
  const running = await readRunning(configuration.PILVI_HOME);
  const named = given ?? configuration.PILVI_URL;
  const url = named ?? running?.url ?? 'http://127.0.0.1:4700';
  const isOurs = running !== undefined && new URL(running.url).origin === new URL(url).origin;
  return { url, key: configuration.PILVI_KEY ?? (isOurs ? (running.key ?? undefined) : undefined) };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
