// The table below is the specification: it is written out by hand and compared with what Cedar decides, for every
// kind of caller, role and action. A change of policies.cedar that is meant has to change it too.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { operations } from '../../../contract/contract.ts';
import { policyActions, type PolicyAction } from '../../../contract/policy.ts';
import { roles } from '../../../contract/session.ts';
import type { Role } from '../../context.ts';
import { findPolicyMistakes, openCedar } from '../../drivers/cedar.ts';
import { loadAuthorizer, readPolicySource, type Authorizer, type Caller } from './policy.ts';

/** For each action the roles that may do it, as a person. */
const expected: Record<PolicyAction, readonly Role[]> = {
  public: ['owner', 'editor', 'predictor', 'viewer'],
  'self:read': ['owner', 'editor', 'predictor', 'viewer'],
  'self:write': ['owner', 'editor', 'predictor', 'viewer'],
  'workspace:read': ['owner', 'editor', 'viewer'],
  'workspace:manage': ['owner'],
  'member:read': ['owner', 'editor', 'viewer'],
  'member:manage': ['owner'],
  'key:read': ['owner', 'editor'],
  'key:manage': ['owner'],
  'audit:read': ['owner'],
  'budget:read': ['owner', 'editor', 'viewer'],
  'budget:manage': ['owner'],
  'project:read': ['owner', 'editor', 'viewer'],
  'project:write': ['owner', 'editor'],
  'dataset:read': ['owner', 'editor', 'viewer'],
  'dataset:write': ['owner', 'editor'],
  'dataset:query': ['owner', 'editor'],
  'training:read': ['owner', 'editor', 'viewer'],
  'training:write': ['owner', 'editor'],
  'model:read': ['owner', 'editor', 'viewer'],
  'model:write': ['owner', 'editor'],
  'endpoint:read': ['owner', 'editor', 'predictor', 'viewer'],
  'endpoint:write': ['owner', 'editor'],
  'endpoint:predict': ['owner', 'editor', 'predictor'],
  'prediction:read': ['owner', 'editor', 'viewer'],
  'release:read': ['owner', 'editor', 'viewer'],
  'release:write': ['owner', 'editor'],
  'release:approve': ['owner', 'editor'],
  'batch:read': ['owner', 'editor', 'viewer'],
  'batch:write': ['owner', 'editor'],
  'job:read': ['owner', 'editor', 'viewer'],
  'job:cancel': ['owner', 'editor'],
};

const refusedToKeys: readonly PolicyAction[] = ['self:write'];
const refusedToBoundKeys: readonly PolicyAction[] = [
  'self:write',
  'workspace:manage',
  'member:read',
  'member:manage',
  'key:read',
  'key:manage',
  'audit:read',
  'budget:manage',
  'project:write',
];

describe('policies', () => {
  it('fit their schema', async () => {
    assert.deepEqual(await findPolicyMistakes(await readPolicySource()), []);
  });

  let authorizer: Authorizer;
  before(async () => {
    authorizer = await loadAuthorizer(openCedar);
  });

  for (const action of policyActions) {
    it(`decides ${action} as the table says`, () => {
      for (const role of roles) {
        const may = expected[action].includes(role);
        const decisions: [Caller, boolean][] = [
          [{ kind: 'user', role }, may],
          [{ kind: 'operator', role }, may],
          [{ kind: 'key', role, projectBound: false }, may && !refusedToKeys.includes(action)],
          [{ kind: 'key', role, projectBound: true }, may && !refusedToBoundKeys.includes(action)],
        ];
        for (const [caller, allowed] of decisions) {
          assert.equal(authorizer.decide(caller, action), allowed ? 'allow' : 'deny', JSON.stringify(caller));
        }
      }
      assert.equal(authorizer.decide({ kind: 'anonymous' }, action), action === 'public' ? 'allow' : 'deny');
    });
  }

  it('covers every policy that an operation of the contract names', () => {
    for (const { policy, operationId } of operations) assert.ok(policy in expected, operationId);
  });

  it('denies unknown actions, whatever they are called', () => {
    const caller: Caller = { kind: 'operator', role: 'owner' };
    fc.assert(
      fc.property(fc.string(), (action) => {
        fc.pre(!policyActions.includes(action as PolicyAction));
        assert.equal(authorizer.decide(caller, action as PolicyAction), 'deny');
      }),
    );
  });

  it('says who is refused and what for', () => {
    assert.throws(() => authorizer.authorize({ kind: 'anonymous' }, 'dataset:read'), {
      code: 'not-signed-in',
    });
    assert.throws(() => authorizer.authorize({ kind: 'user', role: 'viewer' }, 'dataset:write'), {
      code: 'not-allowed',
      message: 'The role "viewer" does not include "dataset:write".',
    });
    authorizer.authorize({ kind: 'user', role: 'editor' }, 'dataset:write');
  });
});

describe('loading policies fails closed', () => {
  it('without an engine', async () => {
    await assert.rejects(loadAuthorizer(() => Promise.reject(new Error('no engine'))));
  });

  it('when the text is no policy', async () => {
    const { schema } = await readPolicySource();
    await assert.rejects(openCedar({ policies: 'permit everything;', schema }));
  });

  it('finds a policy that names something that the schema does not know', async () => {
    const { schema } = await readPolicySource();
    const policies = 'permit (principal, action == Action::"no:such", resource);';
    const [mistake] = await findPolicyMistakes({ policies, schema });
    assert.match(mistake!, /no:such/);
  });

  it('denies an action that no policy names', async () => {
    const policies = 'permit (principal, action == Action::"public", resource);';
    const { decide } = await loadAuthorizer(({ schema }) => openCedar({ policies, schema }));
    const owner: Caller = { kind: 'user', role: 'owner' };
    assert.deepEqual([decide(owner, 'public'), decide(owner, 'self:read')], ['allow', 'deny']);
  });

  it('denies a request outside the schema in the engine itself', async () => {
    const engine = await openCedar(await readPolicySource());
    assert.equal(engine.decide({ kind: 'user', role: 'owner' }, 'no:such'), 'deny');
    assert.equal(engine.decide({ kind: 'user', role: 'root' as Role }, 'dataset:read'), 'deny');
  });
});
