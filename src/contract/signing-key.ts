// Signing keys: what model files of this installation are signed with. Only the public halves leave a server.
import { z } from 'zod';
import { idParam, isoTime, operation } from './operation.ts';

export const signingKey = z
  .object({
    publicKey: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Ed25519 (RFC 8032), 32 bytes in hexadecimal.'),
    createdAt: isoTime,
    withdrawnAt: isoTime
      .nullable()
      .describe('Nothing that it signed is trusted since then; null: it is trusted.'),
    isCurrent: z.boolean().describe('The server that answers signs with it.'),
  })
  .meta({ id: 'SigningKey' });

export const listSigningKeys = operation({
  operationId: 'listSigningKeys',
  method: 'get',
  path: '/signing-keys',
  summary: 'The public keys that model files of this installation are signed with, newest first',
  tag: 'Model',
  policy: 'public',
  request: {},
  response: { status: 200, json: z.object({ items: z.array(signingKey) }) },
  problems: [],
});

export const withdrawSigningKey = operation({
  operationId: 'withdrawSigningKey',
  method: 'post',
  path: '/signing-keys/{publicKey}/withdrawal',
  summary:
    'Withdraw a signing key, for good: what it signed is no longer used, and its server signs with a fresh one. For the owner of the server',
  tag: 'Model',
  policy: 'key:manage',
  request: { params: idParam('publicKey') },
  response: { status: 200, json: z.object({ items: z.array(signingKey) }) },
  problems: ['not-found', 'not-allowed', 'wrong-state'],
});
