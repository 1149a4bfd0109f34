// The authenticator: who sends a request, and in which workspace. It answers from memory where it can; what it knows
// is never older than five seconds, and what is revoked through this server is forgotten at once.
import { assert } from '../../../base/assert.ts';
import type { Sha256 } from '../../../base/hash.ts';
import { Problem } from '../../../base/problems.ts';
import { hourMs, minuteMs, secondMs } from '../../../base/time.ts';
import type { Actor, Role, Services } from '../../context.ts';
import type { Transaction } from '../../ports/database.ts';
import { membershipsOf, type Membership } from '../../tenancy/memberships.ts';
import { isKeySecret } from '../keys/key-secret.ts';
import { readKeyFacts, recordKeyUse, type KeyFacts } from '../keys/keys.ts';
import type { Caller } from '../policy/policy.ts';
import { createThrottle, type Throttle } from '../throttle.ts';
import { CredentialCache } from './credential-cache.ts';
import { readCredential, sessionIdleMs, sessionLifeMs, type CredentialHeaders } from './credentials.ts';
import { firstPerson, operatorKeyId } from './people.ts';
import { findSessionsByHash, touchSessions } from './rows.ts';
import { hashesEqual, hashSecret, isSecretShaped } from './secrets.ts';

/** What a request says about its sender. */
export interface SignInFacts extends CredentialHeaders {
  /** The `Pilvi-Workspace` header: where to work, for those who are in several workspaces. */
  workspaceHeader: string | undefined;
  clientAddress: string;
}

/** Someone who has signed in, and where they work. */
export interface Principal {
  actor: Exclude<Actor, { kind: 'system' }>;
  /** What policies may depend on. */
  caller: Exclude<Caller, { kind: 'anonymous' }>;
  workspaceId: string;
  /** The only project that a key may reach; null: all of the workspace. */
  projectId: string | null;
}

interface SessionFacts {
  id: string;
  userId: string;
  memberships: Membership[];
  endsAtMs: number;
  lastUsedAtMs: number;
}

interface OperatorFacts {
  memberships: Membership[];
}

const useWrittenAfterMs = 5 * secondMs;
/** How accurate the times of last use are. */
const keyUseStepMs = minuteMs;
const sessionUseStepMs = hourMs;

export interface AuthenticatorOptions {
  /** Signs in as the server's operator, who has the rights of the first person. At least 32 characters. */
  bootstrapToken?: string | undefined;
}

export class Authenticator {
  readonly #services: Pick<Services, 'database' | 'clock' | 'log'>;
  readonly #bootstrapHash: Sha256 | undefined;
  readonly #keys: CredentialCache<KeyFacts & { lastUsedAtMs: number }>;
  readonly #sessions: CredentialCache<SessionFacts>;
  readonly #operator: CredentialCache<OperatorFacts>;
  /** Look-ups of secrets that nobody has: a flood of them is stopped before it reaches the database. */
  readonly #misses: Throttle;
  readonly #usedKeys = new Set<string>();
  readonly #usedSessions = new Set<string>();
  #writeTimer: NodeJS.Timeout | undefined;

  constructor(services: Pick<Services, 'database' | 'clock' | 'log'>, options: AuthenticatorOptions = {}) {
    const { bootstrapToken } = options;
    assert(bootstrapToken === undefined || bootstrapToken.length >= 32, 'the bootstrap token is too short');
    const { database, clock } = services;
    this.#services = services;
    this.#bootstrapHash = bootstrapToken === undefined ? undefined : hashSecret(bootstrapToken);
    this.#misses = createThrottle({ clock, maxPerClient: 100, maxInAll: 2000 });
    this.#keys = new CredentialCache({
      clock,
      read: (hashes) => database.asSystem('authenticate keys', (tx) => readKeys(tx, hashes)),
    });
    this.#sessions = new CredentialCache({
      clock,
      read: (hashes) => database.asSystem('authenticate sessions', (tx) => readSessions(tx, hashes)),
    });
    this.#operator = new CredentialCache({
      clock,
      read: ([hash]) => database.asSystem('authenticate the operator', (tx) => readOperator(tx, hash!)),
    });
  }

  /** Throws `not-signed-in`, `not-found` (a workspace that is not theirs) or `too-many-requests`. */
  async authenticate(facts: SignInFacts): Promise<Principal> {
    const credential = readCredential(facts);
    if (credential.kind === 'none')
      throw new Problem('not-signed-in', 'The request carries no key and no session.');
    const hash = hashSecret(credential.secret);
    if (credential.kind === 'cookie') return this.#bySession(credential.secret, hash, facts);
    if (this.#bootstrapHash !== undefined && hashesEqual(hash, this.#bootstrapHash)) {
      return this.#byBootstrapToken(hash, facts);
    }
    return this.#byKey(credential.secret, hash, facts);
  }

  /** Forgets a key that was revoked. */
  forgetKey(keyId: string): void {
    this.#keys.forget(({ id }) => id === keyId);
  }

  /** Forgets a session that was ended. */
  forgetSession(sessionId: string): void {
    this.#sessions.forget(({ id }) => id === sessionId);
  }

  /** Forgets what is known of a person whose memberships changed. */
  forgetPerson(userId: string): void {
    this.#sessions.forget((session) => session.userId === userId);
    this.#operator.forget(() => true);
  }

  /** Writes when keys and sessions were last used. It does so by itself a few seconds after a use. */
  async writeUses(): Promise<void> {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    const [keyIds, sessionIds] = [[...this.#usedKeys], [...this.#usedSessions]];
    if (keyIds.length + sessionIds.length === 0) return;
    this.#usedKeys.clear();
    this.#usedSessions.clear();
    const now = new Date(this.#services.clock.nowMs());
    await this.#services.database.asSystem('record the use of credentials', async (transaction) => {
      if (keyIds.length > 0) await recordKeyUse(transaction, keyIds, now);
      if (sessionIds.length > 0) await touchSessions(transaction, sessionIds, now);
    });
  }

  /** Writes what is left to write; call it before the database is closed. */
  async close(): Promise<void> {
    await this.writeUses();
  }

  async #byKey(secret: string, hash: Sha256, facts: SignInFacts): Promise<Principal> {
    const known = this.#keys.peek(hash);
    if (!known && !isKeySecret(secret)) {
      throw new Problem('not-signed-in', 'The key is not a key of Pilvi, or was mistyped.');
    }
    const key = known ?? (await this.#look(this.#keys, hash, facts));
    if (!key) throw new Problem('not-signed-in', 'The key is not known here, or was revoked.');
    const nowMs = this.#services.clock.nowMs();
    if (key.expiresAt !== null && key.expiresAt.getTime() <= nowMs) {
      throw new Problem('not-signed-in', 'The key has expired.');
    }
    if (facts.workspaceHeader !== undefined && facts.workspaceHeader !== key.workspaceId)
      throw noSuchWorkspace();
    if (nowMs - key.lastUsedAtMs >= keyUseStepMs) {
      key.lastUsedAtMs = nowMs;
      this.#used(this.#usedKeys, key.id);
    }
    const { id, role, projectId, workspaceId } = key;
    return {
      actor: { kind: 'key', id, role, projectId },
      caller: { kind: 'key', role, projectBound: projectId !== null },
      workspaceId,
      projectId,
    };
  }

  async #bySession(token: string, hash: Sha256, facts: SignInFacts): Promise<Principal> {
    const ended = new Problem('not-signed-in', 'The session has ended.');
    if (!isSecretShaped(token)) throw ended;
    const session = this.#sessions.peek(hash) ?? (await this.#look(this.#sessions, hash, facts));
    const nowMs = this.#services.clock.nowMs();
    if (!session || nowMs >= session.endsAtMs || nowMs - session.lastUsedAtMs >= sessionIdleMs) throw ended;
    if (nowMs - session.lastUsedAtMs >= sessionUseStepMs) {
      session.lastUsedAtMs = nowMs;
      this.#used(this.#usedSessions, session.id);
    }
    const { role, workspaceId } = chooseWorkspace(session.memberships, facts.workspaceHeader);
    return {
      actor: { kind: 'user', id: session.userId, sessionId: session.id },
      caller: { kind: 'user', role },
      workspaceId,
      projectId: null,
    };
  }

  async #byBootstrapToken(hash: Sha256, facts: SignInFacts): Promise<Principal> {
    const operator = this.#operator.peek(hash) ?? (await this.#operator.load(hash));
    const { role, workspaceId } = chooseWorkspace(operator?.memberships ?? [], facts.workspaceHeader);
    return {
      actor: { kind: 'key', id: operatorKeyId, role, projectId: null },
      caller: { kind: 'operator', role },
      workspaceId,
      projectId: null,
    };
  }

  async #look<Fact>(
    cache: CredentialCache<Fact>,
    hash: Sha256,
    { clientAddress }: SignInFacts,
  ): Promise<Fact | undefined> {
    this.#misses.check(clientAddress);
    const fact = await cache.load(hash);
    if (fact === undefined) this.#misses.record(clientAddress);
    return fact;
  }

  #used(ids: Set<string>, id: string): void {
    ids.add(id);
    // A time of last use is not worth keeping a process alive for, nor failing a request.
    this.#writeTimer ??= setTimeout(() => {
      this.writeUses().catch((error: unknown) =>
        this.#services.log.warn({ error }, 'the use of credentials could not be recorded'),
      );
    }, useWrittenAfterMs).unref();
  }
}

async function readKeys(
  transaction: Transaction,
  hashes: readonly Sha256[],
): Promise<Map<Sha256, KeyFacts & { lastUsedAtMs: number }>> {
  const keys = await readKeyFacts(transaction, hashes);
  return new Map(
    [...keys].map(([hash, key]) => [hash, { ...key, lastUsedAtMs: key.lastUsedAt?.getTime() ?? 0 }]),
  );
}

async function readSessions(
  transaction: Transaction,
  hashes: readonly Sha256[],
): Promise<Map<Sha256, SessionFacts>> {
  const rows = await findSessionsByHash(transaction, hashes);
  const memberships = await membershipsOf(transaction, [...new Set(rows.map((row) => row.userId))]);
  return new Map(
    rows.map(({ id, userId, tokenHash, createdAt, lastUsedAt }) => [
      tokenHash,
      {
        id,
        userId,
        memberships: memberships.get(userId) ?? [],
        endsAtMs: createdAt.getTime() + sessionLifeMs,
        lastUsedAtMs: lastUsedAt.getTime(),
      },
    ]),
  );
}

async function readOperator(transaction: Transaction, hash: Sha256): Promise<Map<Sha256, OperatorFacts>> {
  const person = await firstPerson(transaction);
  if (!person) return new Map();
  const memberships = await membershipsOf(transaction, [person.userId]);
  return new Map([[hash, { memberships: memberships.get(person.userId) ?? [] }]]);
}

function chooseWorkspace(
  memberships: readonly Membership[],
  wanted: string | undefined,
): { workspaceId: string; role: Role } {
  const [first] = memberships;
  if (!first) throw new Problem('not-signed-in', 'You are not a member of any workspace any more.');
  if (wanted === undefined) return first;
  const chosen = memberships.find(({ workspaceId }) => workspaceId === wanted);
  if (!chosen) throw noSuchWorkspace();
  return chosen;
}

function noSuchWorkspace(): Problem {
  return new Problem(
    'not-found',
    'The Pilvi-Workspace header names no workspace that this sign-in may enter.',
  );
}
