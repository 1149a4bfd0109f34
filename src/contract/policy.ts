// The actions that policies speak of, one for each thing a person may want to allow or deny. The policies themselves
// are Cedar text in platform/security/policies.cedar.

export const policyActions = [
  /** Anyone, signed in or not: health, the server's own description, signing in. */
  'public',
  /** Anyone who is signed in, about themselves. */
  'self:read',
  'self:write',
  'workspace:read',
  'workspace:manage',
  'member:read',
  'member:manage',
  'key:read',
  'key:manage',
  'audit:read',
  'budget:read',
  'budget:manage',
  'project:read',
  'project:write',
  'dataset:read',
  'dataset:write',
  'dataset:query',
  'training:read',
  'training:write',
  'model:read',
  'model:write',
  'endpoint:read',
  'endpoint:write',
  'endpoint:predict',
  'prediction:read',
  'release:read',
  'release:write',
  'release:approve',
  'batch:read',
  'batch:write',
  'job:read',
  'job:cancel',
] as const;

export type PolicyAction = (typeof policyActions)[number];
