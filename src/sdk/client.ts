// Pilvi's client: `createClient({ baseUrl, token })` gives one typed function for each operation of the API. Runs in
// browsers, Node and at the edge; no dependency. What is more than one call lies beside it: list-all.ts, upload.ts,
// wait-for-job.ts.
import { operationTable, type OperationEntry } from './operations.ts';
import { send, type AnyInput, type Connection } from './send.ts';
import type { CallOptions, Client, Download } from './types.ts';
import { watch } from './watch.ts';

/** How to reach a server. */
export interface ClientOptions {
  /** Such as `http://127.0.0.1:4700`. Left out in a browser: the page's own server. */
  baseUrl?: string | undefined;
  /** An API key. Left out in a browser: the session's cookie. */
  token?: string | undefined;
  /** The workspace to work in; left out: the key's own, or the session's. */
  workspaceId?: string | undefined;
  /** Instead of the global `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** For one attempt; default 60,000. */
  timeoutMs?: number | undefined;
  /** Attempts of calls that may be repeated; default 4. */
  attempts?: number | undefined;
  /** Upper bound of the first delay between attempts, doubled with each; default 300. */
  retryDelayMs?: number | undefined;
}

/** A client of the server at `baseUrl`. */
export function createClient(options: ClientOptions = {}): Client {
  const { baseUrl = '', token, workspaceId, timeoutMs = 60_000, attempts = 4, retryDelayMs = 300 } = options;
  const connection: Connection = {
    baseUrl: baseUrl.replace(/\/+$/, ''),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(workspaceId !== undefined && { 'pilvi-workspace': workspaceId }),
    },
    timeoutMs,
    attempts,
    retryDelayMs,
  };
  const calls = Object.entries(operationTable).map(([id, entry]) => [id, callOf(connection, entry)]);
  return Object.fromEntries(calls) as Client;
}

function callOf(connection: Connection, entry: OperationEntry) {
  if (entry.answer === 'events') {
    return (input: AnyInput = {}, options?: CallOptions) => watch(connection, entry, input, options);
  }
  return async (input: AnyInput = {}, options?: CallOptions): Promise<unknown> => {
    const response = await send(connection, entry, input, options);
    if (entry.answer === 'stream') return downloadOf(response);
    if (entry.answer === 'nothing') return undefined;
    return response.json();
  };
}

function downloadOf(response: Response): Download {
  const length = response.headers.get('content-length');
  return {
    contentType: response.headers.get('content-type') ?? 'application/octet-stream',
    // With a content encoding, the length is that of the encoded bytes.
    sizeBytes: length !== null && !response.headers.has('content-encoding') ? Number(length) : undefined,
    fileName: fileNameOf(response.headers.get('content-disposition')),
    body: response.body ?? new Blob([]).stream(),
    bytes: async () => new Uint8Array(await response.arrayBuffer()),
    blob: () => response.blob(),
    text: () => response.text(),
  };
}

/** The name in Content-Disposition (RFC 6266), the extended form first. */
function fileNameOf(header: string | null): string | undefined {
  const extended = /filename\*=utf-8''([^;]+)/i.exec(header ?? '')?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      return undefined;
    }
  }
  return /filename="((?:[^"\\]|\\.)*)"/i.exec(header ?? '')?.[1]?.replaceAll(/\\(.)/g, '$1');
}
