// Signing keys: what model files of this installation are signed with. Only the public halves leave a server.
import { z } from 'zod';
import { isoTime, operation } from './operation.ts';

export const signingKey = z
  .object({
    publicKey: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Ed25519 (RFC 8032), 32 bytes in hexadecimal.'),
    createdAt: isoTime,
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
