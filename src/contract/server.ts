// The server itself: what it is and what it takes.
import { z } from 'zod';
import { operation } from './operation.ts';

export const serverInfo = z
  .object({
    version: z.string(),
    database: z.enum(['pglite', 'postgres']),
    blobs: z.enum(['files', 's3']),
    sendsMail: z.boolean().describe('Whether alerts can be told by mail.'),
    limits: z.object({
      maxUploadBytes: z.number().int(),
      maxColumns: z.number().int(),
      maxPredictionRows: z.number().int(),
      maxQuerySeconds: z.number(),
      maxQueryRows: z.number().int(),
    }),
  })
  .meta({ id: 'ServerInfo' });

export const getServer = operation({
  operationId: 'getServer',
  method: 'get',
  path: '/server',
  summary: 'What this server is and what it takes',
  tag: 'Server',
  policy: 'self:read',
  request: {},
  response: { status: 200, json: serverInfo },
  problems: [],
});

export const getApiDocument = operation({
  operationId: 'getApiDocument',
  method: 'get',
  path: '/openapi.json',
  summary: 'This document',
  tag: 'Server',
  policy: 'public',
  request: {},
  response: { status: 200, json: z.record(z.string(), z.unknown()).describe('OpenAPI 3.1.') },
  problems: [],
});
