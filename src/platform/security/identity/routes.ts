// Routes of signing in and out.
import * as contract from '../../../contract/session.ts';
import { route, type Route } from '../../http/route.ts';
import { askedAt, originOf } from '../asked-at.ts';
import type { Throttle } from '../throttle.ts';
import type { Authenticator } from './authenticator.ts';
import { endedSessionCookie, sessionCookie } from './credentials.ts';
import { createSignInLink, getSession, signIn, signOut } from './sessions.ts';

export interface IdentityRouteOptions {
  authenticator: Authenticator;
  /** Counts attempts to use a link. */
  throttle: Throttle;
  /** Whether the server itself speaks TLS. */
  tls: boolean;
}

export function identityRoutes({ authenticator, throttle, tls }: IdentityRouteOptions): Route[] {
  return [
    route(contract.getSession, (context) => getSession(context)),
    route(contract.createSession, async (context, { body }, exchange) => {
      throttle.check(exchange.clientAddress);
      throttle.record(exchange.clientAddress);
      const { token, session } = await signIn(context, body);
      const { secure } = askedAt(exchange.requestHeader, tls);
      exchange.setHeader('Set-Cookie', sessionCookie(token, secure));
      return session;
    }),
    route(contract.deleteSession, async (context, _input, exchange) => {
      await signOut(context, authenticator);
      exchange.setHeader('Set-Cookie', endedSessionCookie(askedAt(exchange.requestHeader, tls).secure));
    }),
    route(contract.createSignInLink, (context, _input, exchange) =>
      createSignInLink(context, { origin: originOf(askedAt(exchange.requestHeader, tls)) }),
    ),
  ];
}
