// Uploads: files on their way in, part after part, so that a cut costs one part. A complete one is a source of datasets.
import { z } from 'zod';
import { idParam, isoTime, operation } from './operation.ts';

const tag = 'Dataset';

export const upload = z
  .object({
    id: z.string(),
    fileName: z.string(),
    receivedBytes: z.number().int(),
    /** Known when the sender said so; the upload is complete when it is reached. */
    sizeBytes: z.number().int().nullable(),
    state: z.enum(['receiving', 'complete']),
    expiresAt: isoTime,
  })
  .meta({ id: 'Upload' });

export const createUpload = operation({
  operationId: 'createUpload',
  method: 'post',
  path: '/projects/{projectId}/uploads',
  summary: 'Begin an upload',
  tag,
  policy: 'dataset:write',
  request: {
    params: idParam('projectId'),
    json: z.object({
      fileName: z.string().min(1).max(255),
      sizeBytes: z.number().int().min(0).nullable().default(null),
    }),
  },
  response: { status: 201, json: upload },
  problems: ['not-found', 'body-too-large'],
});

export const appendUpload = operation({
  operationId: 'appendUpload',
  method: 'put',
  path: '/uploads/{uploadId}/content',
  summary: 'Send bytes from `offset` on, all or a part; what arrived before a cut is kept',
  tag,
  policy: 'dataset:write',
  request: {
    params: idParam('uploadId'),
    query: z.object({ offset: z.coerce.number().int().min(0).default(0) }),
    stream: ['application/octet-stream'],
  },
  response: { status: 200, json: upload },
  problems: ['not-found', 'wrong-state', 'body-too-large', 'disk-full'],
});

export const getUpload = operation({
  operationId: 'getUpload',
  method: 'get',
  path: '/uploads/{uploadId}',
  summary: 'How much has arrived: where to resume',
  tag,
  policy: 'dataset:read',
  request: { params: idParam('uploadId') },
  response: { status: 200, json: upload },
  problems: ['not-found'],
});
