// Workspaces (tenants), their members, their keys and their audit log.
import { z } from 'zod';
import { displayName, idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { role, signInLink } from './session.ts';

const tag = 'Workspace';

export const workspace = z
  .object({ id: z.string(), name: z.string(), createdAt: isoTime })
  .meta({ id: 'Workspace' });

export const getWorkspace = operation({
  operationId: 'getWorkspace',
  method: 'get',
  path: '/workspace',
  summary: 'The workspace you work in',
  tag,
  policy: 'workspace:read',
  request: {},
  response: { status: 200, json: workspace },
  problems: [],
});

export const updateWorkspace = operation({
  operationId: 'updateWorkspace',
  method: 'patch',
  path: '/workspace',
  summary: 'Rename the workspace',
  tag,
  policy: 'workspace:manage',
  request: { json: z.object({ name: displayName }) },
  response: { status: 200, json: workspace },
  problems: [],
});

export const createWorkspace = operation({
  operationId: 'createWorkspace',
  method: 'post',
  path: '/workspaces',
  summary: 'Make another workspace; you become its owner',
  tag,
  policy: 'self:write',
  request: { json: z.object({ name: displayName }) },
  response: { status: 201, json: workspace },
  problems: [],
});

export const member = z
  .object({ userId: z.string(), displayName: z.string(), role, joinedAt: isoTime })
  .meta({ id: 'Member' });

export const listMembers = operation({
  operationId: 'listMembers',
  method: 'get',
  path: '/members',
  summary: 'The members of the workspace',
  tag,
  policy: 'member:read',
  request: {},
  response: { status: 200, json: z.object({ items: z.array(member) }) },
  problems: [],
});

export const inviteMember = operation({
  operationId: 'inviteMember',
  method: 'post',
  path: '/members',
  summary: 'Add a member; the answer holds their one-time sign-in link',
  tag,
  policy: 'member:manage',
  request: { json: z.object({ displayName, role }) },
  response: { status: 201, json: z.object({ member, link: signInLink }) },
  answerHoldsSecret: true,
  problems: [],
});

export const updateMember = operation({
  operationId: 'updateMember',
  method: 'patch',
  path: '/members/{userId}',
  summary: "Change a member's role; the last owner stays an owner",
  tag,
  policy: 'member:manage',
  request: { params: idParam('userId'), json: z.object({ role }) },
  response: { status: 200, json: member },
  problems: ['not-found', 'wrong-state'],
});

export const removeMember = operation({
  operationId: 'removeMember',
  method: 'delete',
  path: '/members/{userId}',
  summary: 'Remove a member and end their sessions here',
  tag,
  policy: 'member:manage',
  request: { params: idParam('userId') },
  response: { status: 204 },
  problems: ['not-found', 'wrong-state'],
});

export const key = z
  .object({
    id: z.string(),
    name: z.string(),
    /** The first characters of the secret, to tell keys apart. */
    hint: z.string(),
    role,
    projectId: z.string().nullable().describe('The only project it may touch; null: all of the workspace.'),
    createdAt: isoTime,
    expiresAt: isoTime.nullable(),
    lastUsedAt: isoTime.nullable(),
    revokedAt: isoTime.nullable(),
  })
  .meta({ id: 'Key' });

export const listKeys = operation({
  operationId: 'listKeys',
  method: 'get',
  path: '/keys',
  summary: 'The keys of the workspace',
  tag,
  policy: 'key:read',
  request: { query: pageQuery },
  response: { status: 200, json: page(key) },
  problems: [],
});

export const createKey = operation({
  operationId: 'createKey',
  method: 'post',
  path: '/keys',
  summary: 'Make a key; its secret is in this answer and nowhere else',
  tag,
  policy: 'key:manage',
  request: {
    json: z.object({
      name: displayName,
      role: role.default('editor'),
      projectId: z.string().nullable().default(null),
      expiresInDays: z.number().int().min(1).max(3650).nullable().default(null),
    }),
  },
  response: { status: 201, json: z.object({ key, secret: z.string() }) },
  answerHoldsSecret: true,
  problems: ['not-found'],
});

export const revokeKey = operation({
  operationId: 'revokeKey',
  method: 'delete',
  path: '/keys/{keyId}',
  summary: 'Revoke a key; it stops working at once',
  tag,
  policy: 'key:manage',
  request: { params: idParam('keyId') },
  response: { status: 204 },
  problems: ['not-found'],
});

export const auditLine = z
  .object({
    sequence: z.number().int(),
    at: isoTime,
    actor: z.object({ kind: z.enum(['user', 'key', 'system']), id: z.string() }),
    action: z.string(),
    subjectId: z.string(),
    details: z.record(z.string(), z.unknown()),
    hash: z.string().describe('SHA-256 over this line and the hash of the line before.'),
  })
  .meta({ id: 'AuditLine' });

export const listAuditLines = operation({
  operationId: 'listAuditLines',
  method: 'get',
  path: '/audit',
  summary: 'The audit log, newest first',
  tag,
  policy: 'audit:read',
  request: { query: pageQuery },
  response: { status: 200, json: page(auditLine) },
  problems: [],
});

export const verifyAudit = operation({
  operationId: 'verifyAudit',
  method: 'get',
  path: '/audit/verification',
  summary: 'Check the whole hash chain of the audit log',
  tag,
  policy: 'audit:read',
  request: {},
  response: {
    status: 200,
    json: z.object({
      lineCount: z.number().int(),
      intact: z.boolean(),
      firstBrokenSequence: z.number().int().nullable(),
      headHash: z.string().nullable(),
    }),
  },
  problems: [],
});
