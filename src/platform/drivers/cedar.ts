// Policy engine by Cedar (https://www.cedarpolicy.com), compiled to WebAssembly. The module is 4 MB and takes some
// 30 ms to load, so it is loaded when an engine is opened and not when this file is imported.
import { hash } from 'node:crypto';
import { assert } from '../../base/assert.ts';
import type { Caller, PolicyEngine, PolicySource } from '../security/policy/policy.ts';

type Uid = { type: string; id: string };

/** Parses `source`; throws an AssertionFailure naming what cannot be read of it. */
export async function openCedar(source: PolicySource): Promise<PolicyEngine> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  // Parsed forms are kept by the module under a name; the text's own hash keeps two engines apart.
  const name = hash('sha256', source.schema + source.policies);
  assertSuccess(cedar.preparseSchema(name, source.schema), 'schema');
  assertSuccess(cedar.preparsePolicySet(name, { staticPolicies: source.policies }), 'policies');
  return {
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

/**
 * What is wrong with policies, measured against their schema. It takes ten times as long as to read them, so the tests
 * of the policies ask, and not every start: a request that does not fit the schema is denied anyway.
 */
export async function findPolicyMistakes({ policies, schema }: PolicySource): Promise<string[]> {
  const cedar = await import('@cedar-policy/cedar-wasm/nodejs');
  const answer = cedar.validate({ schema, policies: { staticPolicies: policies } });
  const findings =
    answer.type === 'failure'
      ? answer.errors
      : [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error);
  return findings.map(({ message }) => message);
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

function assertSuccess(
  answer: { type: 'success' } | { type: 'failure'; errors: { message: string }[] },
  what: string,
): void {
  assert(
    answer.type === 'success',
    `the ${what} cannot be read: ${answer.type === 'failure' ? answer.errors[0]?.message : ''}`,
  );
}
