// Authorisation: may this caller do this kind of thing? The answer is read from policies.cedar, denied by default.
// Which rows a caller can reach is another question, and the database answers it (platform/database/table.ts).
//
// A decision depends on four facts only (kind of caller, role, bound to a project, action), so each is made once and
// remembered: a request costs a look-up in a map, not an evaluation.
import { readFile } from 'node:fs/promises';
import { Problem } from '../../../base/problems.ts';
import { policyActions, type PolicyAction } from '../../../contract/policy.ts';
import type { Role } from '../../context.ts';

/** What a decision may depend on. `operator` is the holder of the bootstrap token. */
export type Caller =
  | { kind: 'anonymous' }
  | { kind: 'user' | 'operator'; role: Role }
  | { kind: 'key'; role: Role; projectBound: boolean };

export type Decision = 'allow' | 'deny';

/** Policies and the schema that they are checked against, as text. */
export interface PolicySource {
  policies: string;
  schema: string;
}

/** Evaluates policies; the driver is platform/drivers/cedar.ts. */
export interface PolicyEngine {
  /** `deny` unless a policy permits and none forbids; any error in evaluation is `deny` too. */
  decide(caller: Caller, action: string): Decision;
}

/** Decides; see {@link loadAuthorizer}. */
export interface Authorizer {
  decide(caller: Caller, action: PolicyAction): Decision;
  /** Throws `not-allowed` (`not-signed-in` for someone anonymous) unless the policies allow it. */
  authorize(caller: Caller, action: PolicyAction): void;
}

/** The policies of this product. */
export async function readPolicySource(): Promise<PolicySource> {
  const [policies, schema] = await Promise.all([
    readFile(new URL('./policies.cedar', import.meta.url), 'utf8'),
    readFile(new URL('./schema.cedarschema', import.meta.url), 'utf8'),
  ]);
  return { policies, schema };
}

/**
 * Loads the policies into an engine. Fails closed: without an engine or with policies that cannot be read there is no
 * authorizer and the server does not start; what no policy names is denied.
 */
export async function loadAuthorizer(
  openEngine: (source: PolicySource) => Promise<PolicyEngine>,
): Promise<Authorizer> {
  const engine = await openEngine(await readPolicySource());
  const decisions: Decisions = new Map();
  const decide = (caller: Caller, action: PolicyAction): Decision => {
    const decided = decisionsOf(decisions, caller);
    let decision = decided.get(action);
    if (decision === undefined) {
      // Only known actions are remembered: the memory is bounded by the catalogue, not by what callers send.
      if (!policyActions.includes(action)) return 'deny';
      decision = engine.decide(caller, action);
      decided.set(action, decision);
    }
    return decision;
  };
  return {
    decide,
    authorize(caller, action) {
      if (decide(caller, action) === 'allow') return;
      if (caller.kind === 'anonymous') throw new Problem('not-signed-in', 'This needs a sign-in or a key.');
      throw new Problem('not-allowed', refusal(caller, action));
    },
  };
}

/** Decisions by kind of caller, role and action. Nested, because composing a key would cost more than the look-ups. */
type Decisions = Map<string, Map<Role | undefined, Map<PolicyAction, Decision>>>;

/** What was decided for callers like this one. */
function decisionsOf(decisions: Decisions, caller: Caller): Map<PolicyAction, Decision> {
  const kind = caller.kind === 'key' && caller.projectBound ? 'bound-key' : caller.kind;
  const role = caller.kind === 'anonymous' ? undefined : caller.role;
  const ofKind = decisions.get(kind) ?? new Map<Role | undefined, Map<PolicyAction, Decision>>();
  decisions.set(kind, ofKind);
  const decided = ofKind.get(role) ?? new Map<PolicyAction, Decision>();
  ofKind.set(role, decided);
  return decided;
}

function refusal(caller: Exclude<Caller, { kind: 'anonymous' }>, action: PolicyAction): string {
  if (caller.kind !== 'key') return `The role "${caller.role}" does not include "${action}".`;
  const bound = caller.projectBound ? ' bound to a project' : '';
  return `A key${bound} with the role "${caller.role}" may not do "${action}".`;
}
