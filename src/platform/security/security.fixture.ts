// A server's security for tests: an emptied real database, a clock that stands still until it is moved, the
// authenticator and the policies as a server has them.
import assert from 'node:assert/strict';
import { Problem, type ProblemCode } from '../../base/problems.ts';
import type { Context, Services } from '../context.ts';
import { sql } from 'drizzle-orm';
import { createContext } from '../context-factory.ts';
import { openCedar } from '../drivers/cedar.ts';
import { ensureOwner } from '../tenancy/first-start.ts';
import { openTestServices, testPostgresUrl, type TestServices } from '../testing.ts';
import { Authenticator, type Principal, type SignInFacts } from './identity/authenticator.ts';
import { signIn } from './identity/sessions.ts';
import { loadAuthorizer, type Authorizer } from './policy/policy.ts';

export const origin = 'http://localhost:4700';
export const bootstrapToken = 'bootstrap-token-of-32-characters';

export interface TestSecurity {
  services: Services;
  authenticator: Authenticator;
  authorizer: Authorizer;
  advance(ms: number): void;
  /** Transactions of the system that were begun so far: the authenticator's and others'. */
  systemTransactionCount(): number;
  /** Signs in with a link and returns the cookie of the session. */
  openLink(url: string, displayName?: string): Promise<string>;
  /** Starts the server for the first time and signs its owner in. */
  signInOwner(): Promise<{ cookie: string; principal: Principal; context: Context }>;
  /** Authenticates and returns the context that an operation would get. */
  contextOf(facts: Partial<SignInFacts>): Promise<Context>;
  authenticate(facts: Partial<SignInFacts>): Promise<Principal>;
  /** Another server on the same database. */
  otherServer(): Authenticator;
  close(): Promise<void>;
}

/** Services on a real Postgres where there is one, else on the embedded database. */
export function openTestServer(): Promise<TestServices> {
  return openTestServices({ database: testPostgresUrl === undefined ? 'pglite' : 'postgres' });
}

export async function openTestSecurity(server: TestServices): Promise<TestSecurity> {
  await emptyTables(server.services);
  let nowMs = Date.UTC(2026, 0, 1);
  let systemTransactionCount = 0;
  const services: Services = {
    ...server.services,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    database: {
      ...server.services.database,
      asSystem: (reason, work) => {
        systemTransactionCount += 1;
        return server.services.database.asSystem(reason, work);
      },
    },
  };
  const authenticators: Authenticator[] = [];
  const startServer = (): Authenticator => {
    const started = new Authenticator(services, { bootstrapToken });
    authenticators.push(started);
    return started;
  };
  const authenticator = startServer();
  const authenticate = (facts: Partial<SignInFacts>): Promise<Principal> =>
    authenticator.authenticate(factsWith(facts));
  const contextOf = async (facts: Partial<SignInFacts>): Promise<Context> => {
    const { actor, workspaceId, projectId } = await authenticate(facts);
    const requestId = services.newId('request');
    const who = { actor, workspaceId, projectId, requestId, signal: new AbortController().signal };
    return createContext(services, who);
  };
  const openLink = async (url: string, displayName?: string): Promise<string> => {
    const { token } = await signIn(services, { code: codeOf(url), displayName });
    return `pilvi_session=${token}`;
  };
  return {
    services,
    authenticator,
    authorizer: await loadAuthorizer(openCedar),
    advance: (ms) => void (nowMs += ms),
    systemTransactionCount: () => systemTransactionCount,
    openLink,
    signInOwner: async () => {
      const { signInUrl } = await ensureOwner(services, { origin });
      assert.ok(signInUrl);
      const cookie = await openLink(signInUrl, 'Olga');
      return { cookie, principal: await authenticate({ cookie }), context: await contextOf({ cookie }) };
    },
    contextOf,
    authenticate,
    otherServer: startServer,
    close: async () => {
      for (const started of authenticators) await started.close();
    },
  };
}

async function emptyTables({ database }: Services): Promise<void> {
  await database.asSystem('empty all tables for a test', async (transaction) => {
    const { rows } = await transaction.execute<{ tables: string }>(
      sql`select string_agg(quote_ident(tablename), ', ') as tables from pg_tables where schemaname = 'public'`,
    );
    await transaction.execute(sql.raw(`truncate ${rows[0]!.tables}`));
  });
}

/** The code in the address of a sign-in link. */
export function codeOf(url: string): string {
  const match = /^http:\/\/localhost:4700\/sign-in#code=([0-9A-Za-z]{43})$/.exec(url);
  assert.ok(match, url);
  return match[1]!;
}

/** Facts of a request from one address, with nothing else unless given. */
export function factsWith(facts: Partial<SignInFacts>): SignInFacts {
  return {
    authorization: undefined,
    cookie: undefined,
    secure: false,
    workspaceHeader: undefined,
    clientAddress: '203.0.113.9',
    ...facts,
  };
}

/** Asserts that `work` fails with this problem. */
export async function assertProblem(work: Promise<unknown>, code: ProblemCode): Promise<Problem> {
  const error = await work.then(
    () => assert.fail(`expected the problem ${code}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw error;
  assert.equal(error.code, code, error.message);
  return error;
}
