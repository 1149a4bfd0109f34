// Where the server may listen: on this machine, or encrypted. Keys and sessions in clear text on a network are
// everybody's keys and sessions, so anything else takes an explicit word from the operator.
import { Problem } from '../../base/problems.ts';
import { isLoopbackAddress } from '../drivers/addresses.ts';

export interface Binding {
  /** What the server is told to listen on: an address or a name. */
  host: string;
  /** Whether the server itself speaks TLS. */
  tls: boolean;
  /** The operator's word that a proxy in front encrypts, or that the network is trusted. */
  allowInsecure: boolean;
}

/** Throws `configuration-invalid` when others could reach the server without encryption. */
export function assertBindAllowed({ host, tls, allowInsecure }: Binding): void {
  if (tls || allowInsecure || host.toLowerCase() === 'localhost' || isLoopbackAddress(host)) return;
  const where = host === '' ? 'every address' : `"${host}"`;
  throw new Problem(
    'configuration-invalid',
    `Listening on ${where} without TLS would send keys and sessions over the network in clear text. Set PILVI_TLS_CERT and PILVI_TLS_KEY; or set PILVI_HOST to 127.0.0.1; or, behind a proxy that speaks TLS, set PILVI_ALLOW_INSECURE_BIND to 1.`,
    { errors: [{ field: 'PILVI_HOST', message: 'must be an address of this machine alone, or needs TLS' }] },
  );
}
