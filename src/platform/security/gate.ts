// The gate of the HTTP application: guard, identity and policy in their order, over the facts of one request.
import type { Gate, RequestFacts } from '../http/carry-out.ts';
import { askedAt, type AskedAt } from './asked-at.ts';
import type { Authenticator, SignInFacts } from './identity/authenticator.ts';
import { readCredential } from './identity/credentials.ts';
import type { Authorizer } from './policy/policy.ts';
import { guardRequest, type AllowedHosts, type GuardedRequest } from './request-guard.ts';
import { apiHeaders, pageHeaders } from './security-headers.ts';

export interface GateOptions {
  authenticator: Authenticator;
  authorizer: Authorizer;
  /** Read at each request, because the port may be known only once the server listens. */
  hosts(): AllowedHosts;
  /** Whether the server itself speaks TLS. */
  tls: boolean;
}

/** Paths that tell load balancers whether the server is up. */
export const probePaths: readonly string[] = ['/healthz', '/readyz'];

/** Paths that answer with data; everything else is a page or one of its files. */
const apiPaths = /^\/(api|v1|v2|endpoints|mcp|metrics)(\/|$)/;

export function createGate({ authenticator, authorizer, hosts, tls }: GateOptions): Gate {
  return {
    guard(facts) {
      const problem = guardRequest(guarded(facts, tls), hosts());
      if (problem) throw problem;
    },
    async admit(facts, action) {
      if (action === 'public') {
        authorizer.authorize({ kind: 'anonymous' }, action);
        // Nobody yet, nowhere: the empty workspace id is refused by the database, so a handler reaches no tenant's rows.
        return { actor: { kind: 'system', id: 'system' }, workspaceId: '', projectId: null };
      }
      const principal = await authenticator.authenticate(signInFacts(facts, tls));
      authorizer.authorize(principal.caller, action);
      const { actor, workspaceId, projectId } = principal;
      return { actor, workspaceId, projectId };
    },
    headers(facts) {
      const { secure, host } = askedAt(facts.header, tls);
      return areaOf(facts.path) === 'page' ? pageHeaders({ secure, host }) : apiHeaders({ secure, host });
    },
  };
}

function guarded({ method, path, header }: RequestFacts, tls: boolean): GuardedRequest {
  const asked = askedAt(header, tls);
  return {
    ...asked,
    method: method.toUpperCase(),
    area: areaOf(path),
    origin: header('origin'),
    secFetchSite: header('sec-fetch-site'),
    secFetchMode: header('sec-fetch-mode'),
    secFetchDest: header('sec-fetch-dest'),
    contentType: header('content-type'),
    credential: readCredential(credentialHeaders(header, asked)).kind,
    upgrade: header('upgrade') !== undefined,
  };
}

function signInFacts({ header, clientAddress }: RequestFacts, tls: boolean): SignInFacts {
  const credentials = credentialHeaders(header, askedAt(header, tls));
  return { ...credentials, workspaceHeader: header('pilvi-workspace'), clientAddress };
}

function credentialHeaders(header: RequestFacts['header'], { secure }: AskedAt) {
  return { authorization: header('authorization'), cookie: header('cookie'), secure };
}

function areaOf(path: string): GuardedRequest['area'] {
  if (probePaths.includes(path)) return 'probe';
  return apiPaths.test(path) ? 'api' : 'page';
}
