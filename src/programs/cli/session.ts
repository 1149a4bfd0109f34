// What a command works with: how to answer, the signal of Ctrl-C, and, made when first asked for, the client of the
// server and the project to work in.
import type { Client } from '../../sdk/types.ts';
import { UsageError } from './failure.ts';
import type { Configuration } from '../configuration.ts';
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
  /** The server of `--url` or PILVI_URL, with the key of PILVI_KEY. */
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
      const baseUrl = options.url ?? configuration.PILVI_URL;
      if (!URL.canParse(baseUrl))
        throw new UsageError(`"${baseUrl}" is not an address, such as http://127.0.0.1:4700`);
      return createClient({
        baseUrl,
        token: configuration.PILVI_KEY,
        workspaceId: configuration.PILVI_WORKSPACE,
      });
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

async function loadConfiguration(): Promise<Configuration> {
  const { readConfiguration } = await import('../configuration.ts');
  const { configuration, warnings } = readConfiguration();
  for (const warning of warnings) note(`${styled('yellow', 'warning:', process.stderr)} ${warning}`);
  return configuration;
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}
