// Policy engine by Cedar (https://www.cedarpolicy.com), compiled to WebAssembly. The module is 4 MB and takes some
// 30 ms to load, so it is loaded when an engine is opened and not when this file is imported.
import type * as cedarModule from '@cedar-policy/cedar-wasm/nodejs';
import { hash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import type { Caller, PolicyEngine, PolicySource } from '../security/policy/policy.ts';

type Cedar = typeof cedarModule;
type Uid = { type: string; id: string };

/** Parses and validates `source`; throws an AssertionFailure naming what is wrong with it. */
export async function openCedar(source: PolicySource): Promise<PolicyEngine> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  assertValid(cedar, source);
  // Parsed forms are kept by the module under a name; the text's own hash keeps two engines apart.
  const name = hash('sha256', source.schema + source.policies);
  assertSuccess(cedar.preparseSchema(name, source.schema), 'schema');
  assertSuccess(cedar.preparsePolicySet(name, { staticPolicies: source.policies }), 'policies');
  return {
    namedActions: namedActions(cedar, source.policies),
    decide(caller, action) {
      const principal = principalOf(caller);
      const answer = cedar.statefulIsAuthorized({
        principal: principal.uid,
        action: { type: 'Action', id: action },
        resource: { type: 'Workspace', id: 'any' },
        context: {},
        preparsedSchemaName: name,
        preparsedPolicySetId: name,
        validateRequest: true,
        entities: [principal],
      });
      // A request that does not fit the schema (an unknown action) is a failure; a policy that could not be evaluated
      // is an error beside a decision. Neither may let anyone in.
      if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0) return 'deny';
      return answer.response.decision;
    },
  };
}

function principalOf(caller: Caller): { uid: Uid; attrs: Record<string, boolean>; parents: Uid[] } {
  const parents = caller.kind === 'anonymous' ? [] : [{ type: 'Role', id: caller.role }];
  const types = { anonymous: 'Anonymous', user: 'User', key: 'Key', operator: 'Operator' } as const;
  return {
    uid: { type: types[caller.kind], id: 'caller' },
    attrs: caller.kind === 'key' ? { projectBound: caller.projectBound } : {},
    parents,
  };
}

function assertValid(cedar: Cedar, { policies, schema }: PolicySource): void {
  const answer = cedar.validate({ schema, policies: { staticPolicies: policies } });
  assertSuccess(answer, 'policies or their schema');
  if (answer.type === 'failure') return;
  const findings = [...answer.validationErrors, ...answer.validationWarnings];
  assert(findings.length === 0, `the policies are not valid: ${findings[0]?.error.message}`);
}

function assertSuccess(
  answer: { type: 'success' } | { type: 'failure'; errors: { message: string }[] },
  what: string,
): void {
  assert(
    answer.type === 'success',
    `the ${what} cannot be read: ${answer.type === 'failure' ? answer.errors[0]?.message : ''}`,
  );
}

function namedActions(cedar: Cedar, policies: string): Set<string> {
  const parts = cedar.policySetTextToParts(policies);
  assert(parts.type === 'success', 'the policies cannot be split');
  const named = new Set<string>();
  for (const text of parts.policies) {
    const answer = cedar.policyToJson(text);
    assert(answer.type === 'success', 'a policy cannot be read');
    const { effect, action } = answer.json;
    if (effect !== 'permit' || action.op === 'All') continue;
    const entities = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
    for (const entity of entities) named.add('__entity' in entity ? entity.__entity.id : entity.id);
  }
  return named;
}
