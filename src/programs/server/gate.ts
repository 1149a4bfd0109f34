// The gate of the HTTP application, put together from platform/security: guard, identity, policy, headers.
import type { Gate, RequestFacts } from '../../platform/http/app.ts';
import { askedAt } from '../../platform/security/asked-at.ts';
import type { Authenticator } from '../../platform/security/identity/authenticator.ts';
import { readCredential } from '../../platform/security/identity/credentials.ts';
import type { Authorizer } from '../../platform/security/policy/policy.ts';
import {
  guardRequest,
  type AllowedHosts,
  type GuardedRequest,
} from '../../platform/security/request-guard.ts';
import { apiHeaders, pageHeaders } from '../../platform/security/security-headers.ts';

export interface GateOptions {
  authenticator: Authenticator;
  authorizer: Authorizer;
  /** Known once the server listens, because the port may be any free one. */
  hosts: () => AllowedHosts;
  /** Whether the server itself speaks TLS. */
  tls: boolean;
}

/** Addresses that tell load balancers whether the server is up. */
export const probePaths: readonly string[] = ['/healthz', '/readyz'];

export function createGate({ authenticator, authorizer, hosts, tls }: GateOptions): Gate {
  return {
    guard(facts) {
      const problem = guardRequest(guarded(facts, tls), hosts());
      if (problem) throw problem;
    },
    async admit(facts, action) {
      // Signing in is for everyone: whatever old cookie a browser still has must not be in the way.
      if (action === 'public')
        return { actor: { kind: 'system', id: 'system' }, workspaceId: '', projectId: null };
      const { header, clientAddress } = facts;
      const principal = await authenticator.authenticate({
        ...credentials(facts, tls),
        workspaceHeader: header('pilvi-workspace'),
        clientAddress,
      });
      authorizer.authorize(principal.caller, action);
      return principal;
    },
    headers: ({ path, header }) =>
      areaOf(path) === 'page' ? pageHeaders(askedAt(header, tls)) : apiHeaders(askedAt(header, tls)),
  };
}

function guarded(facts: RequestFacts, tls: boolean): GuardedRequest {
  const { header, method, path } = facts;
  return {
    ...askedAt(header, tls),
    method,
    area: areaOf(path),
    origin: header('origin'),
    secFetchSite: header('sec-fetch-site'),
    secFetchMode: header('sec-fetch-mode'),
    secFetchDest: header('sec-fetch-dest'),
    contentType: header('content-type'),
    credential: readCredential(credentials(facts, tls)).kind,
    upgrade: header('upgrade') !== undefined,
  };
}

function credentials({ header }: RequestFacts, tls: boolean) {
  return {
    authorization: header('authorization'),
    cookie: header('cookie'),
    secure: askedAt(header, tls).secure,
  };
}

function areaOf(path: string): GuardedRequest['area'] {
  if (probePaths.includes(path)) return 'probe';
  return path === '/api' || path.startsWith('/api/') ? 'api' : 'page';
}
