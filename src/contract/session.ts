// Signing in. The first start prints a one-time link; whoever opens it is the owner. There is no password.
import { z } from 'zod';
import { displayName, isoTime, operation } from './operation.ts';

export const roles = ['owner', 'editor', 'predictor', 'viewer'] as const;
export const role = z
  .enum(roles)
  .describe('owner: everything. editor: all work. predictor: predictions only. viewer: looks.');

export const session = z
  .object({
    actor: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('user'), id: z.string(), displayName: z.string() }),
      z.object({ kind: z.literal('key'), id: z.string(), displayName: z.string() }),
    ]),
    workspace: z.object({ id: z.string(), name: z.string() }),
    role,
    /** The workspaces the actor may switch to with the `Pilvi-Workspace` header. */
    workspaces: z.array(z.object({ id: z.string(), name: z.string(), role })),
    expiresAt: isoTime.nullable(),
  })
  .meta({ id: 'Session' });

export const getSession = operation({
  operationId: 'getSession',
  method: 'get',
  path: '/session',
  summary: 'Who you are here',
  tag: 'Session',
  policy: 'self:read',
  request: {},
  response: { status: 200, json: session },
  problems: [],
});

export const createSession = operation({
  operationId: 'createSession',
  method: 'post',
  path: '/session',
  summary: 'Sign this browser in with the one-time code of a sign-in link',
  tag: 'Session',
  policy: 'public',
  request: { json: z.object({ code: z.string().min(20).max(200), displayName: displayName.optional() }) },
  response: { status: 201, json: session },
  answerHoldsSecret: true,
  problems: ['sign-in-link-spent', 'too-many-requests'],
});

export const deleteSession = operation({
  operationId: 'deleteSession',
  method: 'delete',
  path: '/session',
  summary: 'Sign out',
  tag: 'Session',
  policy: 'self:write',
  request: {},
  response: { status: 204 },
  problems: [],
});

export const signInLink = z.object({ url: z.string(), expiresAt: isoTime }).meta({ id: 'SignInLink' });

export const createSignInLink = operation({
  operationId: 'createSignInLink',
  method: 'post',
  path: '/session/links',
  summary: 'Make a one-time link that signs you in on another browser',
  tag: 'Session',
  policy: 'self:write',
  request: {},
  response: { status: 201, json: signInLink },
  answerHoldsSecret: true,
  problems: [],
});
