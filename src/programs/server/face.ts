// The HTTP face of the product: wires routes, gate, probes and pages to the runtime, and listens.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../base/time.ts';
import { createContext } from '../../platform/context-factory.ts';
import { openCedar } from '../../platform/drivers/cedar.ts';
import { createApp, type AppOptions } from '../../platform/http/app.ts';
import { openDirectWay } from '../../platform/http/direct.ts';
import type { Patience } from '../../platform/http/read-request.ts';
import { Authenticator } from '../../platform/security/identity/authenticator.ts';
import { loadAuthorizer } from '../../platform/security/policy/policy.ts';
import { allowedHosts, type AllowedHosts } from '../../platform/security/request-guard.ts';
import { createThrottle } from '../../platform/security/throttle.ts';
import { ensureOwner } from '../../platform/tenancy/first-start.ts';
import { protocols } from '../../protocols/protocols.ts';
import type { Configuration } from '../configuration.ts';
import { packageRoot } from '../package-root.ts';
import { version } from '../version.ts';
import { serverRoute } from './describe.ts';
import { createGate } from '../../platform/security/gate.ts';
import { clientAddressOf, createListener } from './listener.ts';
import { servePages } from './pages.ts';
import { openObservation, serveMetrics } from './telemetry.ts';
import { serveProbes } from './probes.ts';
import { productRoutes } from '../product.ts';
import { openRuntime } from '../runtime.ts';
import type { Outside } from '../services.ts';
import type { RunningServer } from './server.ts';

/** Connections that may wait to be taken. Beyond, the system drops them, and whoever called tries again after a second. */
const backlog = 4096;

const pagesFolder = join(packageRoot, 'ui', 'dist');

/** Starts the runtime and listens; `opened` ends both. */
export async function openFace(
  configuration: Configuration,
  {
    outside,
    opened,
    patience,
  }: { outside: Outside; opened: AsyncDisposableStack; patience: Patience | undefined },
): Promise<Omit<RunningServer, 'stop'>> {
  const tls = configuration.PILVI_TLS_CERT !== undefined;
  const stopping = new AbortController();
  const authorizerLoads = loadAuthorizer(openCedar);
  authorizerLoads.catch(() => undefined); // Awaited below; a failure must not be unhandled until then.
  const services = await openRuntime(configuration, outside, opened);
  const authenticator = new Authenticator(services, { bootstrapToken: configuration.PILVI_BOOTSTRAP_TOKEN });
  opened.defer(() => authenticator.close());

  let hosts: AllowedHosts = new Set();
  const throttle = createThrottle({ clock: systemClock });
  const gate = createGate({ authenticator, authorizer: await authorizerLoads, hosts: () => hosts, tls });
  const options: AppOptions = {
    routes: [serverRoute(configuration, services), ...productRoutes({ authenticator, throttle, tls })],
    protocols: protocols(version),
    services,
    gate,
    version,
    createContext: (who) => createContext(services, who),
    clientAddress: (header, peer) => clientAddressOf(header, peer, configuration.PILVI_TRUST_PROXY),
    stopping: stopping.signal,
    observe: openObservation(configuration, services, opened),
    ...(patience && { patience }),
  };
  const app = createApp(options);
  const direct = openDirectWay(options);
  opened.defer(() => direct.close());
  serveProbes(app, services);
  serveMetrics(app, options);
  const hasPages = await servePages(app, pagesFolder, tls);

  const listener = await createListener(configuration, {
    direct,
    fetch: (request, environment) => app.fetch(request, environment as object),
  });
  listener.listen({ port: configuration.PILVI_PORT, host: configuration.PILVI_HOST, backlog });
  await once(listener, 'listening');
  opened.defer(async () => {
    stopping.abort();
    const closed = once(listener, 'close');
    listener.close();
    listener.closeAllConnections();
    await closed;
  });
  const { port } = listener.address() as AddressInfo;
  const url =
    configuration.PILVI_PUBLIC_URL ??
    `${tls ? 'https' : 'http'}://${shownHost(configuration.PILVI_HOST)}:${port}`;
  hosts = allowedHosts(port, [...configuration.PILVI_ALLOWED_HOSTS, new URL(url).host]);
  const { signInUrl } = await ensureOwner(services, { origin: url.replace(/\/$/, '') });

  const addresses = app.routes.map(({ method, path }) => ({ method, path }));
  return { url, signInUrl, hasPages, addresses };
}

/** The name to put into an address: browsers treat localhost as secure, and nobody opens 0.0.0.0. */
function shownHost(host: string): string {
  if (host === '127.0.0.1' || host === '::1' || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
