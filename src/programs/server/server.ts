// The server from start to stop. Little is imported here, so that the database opens while the rest of the product is
// still being loaded: each takes a good part of the time that a start takes.
import type { Patience } from '../../platform/http/read-request.ts';
import { assertBindAllowed } from '../../platform/security/bind-guard.ts';
import type { Configuration } from '../configuration.ts';
import { openOutside } from '../services.ts';

export interface RunningServer {
  /** Where people reach it. */
  url: string;
  /** The one-time link for the first person; null once someone has signed in. */
  signInUrl: string | null;
  /** Whether the web application is there (built). */
  hasPages: boolean;
  /** Every method and address pattern that the router knows, the gate's own included. */
  addresses: readonly { method: string; path: string }[];
  /** Ends streams and listeners, hands running jobs back, settles what is leased, closes the database. */
  stop(): Promise<void>;
}

/**
 * Starts the server. Throws `configuration-invalid` for an address that needs TLS, `data-folder-in-use` when another
 * process has the home, or what the drivers throw.
 */
export async function startServer(
  configuration: Configuration,
  { patience }: { patience?: Patience } = {},
): Promise<RunningServer> {
  assertBindAllowed({
    host: configuration.PILVI_HOST,
    tls: configuration.PILVI_TLS_CERT !== undefined,
    allowInsecure: configuration.PILVI_ALLOW_INSECURE_BIND,
  });
  // What was opened is closed in reverse order, on a failed start too.
  await using opened = new AsyncDisposableStack();
  const outside = await openOutside(configuration, opened);
  const { openFace } = await import('./face.ts');
  const face = await openFace(configuration, { outside, opened, patience });
  const running = opened.move();
  return { ...face, stop: () => running.disposeAsync() };
}
