// Makes contexts: what a request, a job or a reaction may do in one workspace.
import { assert } from '../base/assert.ts';
import type { Actor, Context, Services } from './context.ts';
import type { Log } from './ports/log.ts';
import { publish } from './events/events.ts';
import { Laps } from './telemetry/laps.ts';
import { appendAudit } from './security/audit/audit.ts';

/** Whose work it is. */
export interface Who {
  actor: Actor;
  workspaceId: string;
  /** The only project that it may reach, for keys that are bound to one; null: the whole workspace. */
  projectId: string | null;
  requestId: string;
  /** Looked at when it is asked for: whoever makes it lazily saves making it. */
  readonly signal: AbortSignal;
  /** Begun when the request arrived; a new one unless given. */
  laps?: Laps;
}

/** A context for `who` over `services`. */
export function createContext(services: Services, who: Who): Context {
  const { actor, workspaceId, projectId, requestId } = who;
  assert(
    actor.kind !== 'key' || actor.projectId === null || actor.projectId === projectId,
    'the context of a key that is bound to a project reaches that project only',
  );
  let log: Log | undefined;
  const context: Context = {
    ...services,
    // Most requests write nothing.
    get log() {
      return (log ??= services.log.child({ requestId, workspaceId }));
    },
    actor,
    workspaceId,
    requestId,
    laps: who.laps ?? new Laps(services.clock),
    get signal() {
      return who.signal;
    },
    transaction: (work) => services.database.inWorkspace({ workspaceId, projectId }, work),
    publish: async (transaction, event) => {
      await publish(transaction, context, event);
    },
    audit: (transaction, entry) => appendAudit(transaction, context, entry),
  };
  return context;
}
