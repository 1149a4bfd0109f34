// The call that tells a program of somebody's that a batch has ended: what is sent, and how it is signed. The signature is
// that of Standard Webhooks (standardwebhooks.com): HMAC with SHA-256 over id, time and body, so that nobody else can
// send one, change one, or send an old one again.
import { createHmac } from 'node:crypto';
import type { BatchRow } from './rows.ts';

/** What is kept of a callback; the secret goes when it is over. */
export interface StoredCallback {
  url: string;
  secret: string | null;
  state: 'waiting' | 'delivered' | 'failed';
  /** How the last try went, for people. */
  detail: string;
}

/** Secrets that begin so hold base64, as Standard Webhooks writes them; others are taken as they are. */
const encodedPrefix = 'whsec_';

/** What is sent: no rows, only where they are. */
export function callbackBody(row: BatchRow): string {
  const { id, projectId, state, rowCount, answeredRowCount, datasetVersionId, problem } = row;
  return JSON.stringify({
    type: 'batch-finished',
    batchId: id,
    projectId,
    state,
    rowCount,
    answeredRowCount,
    datasetVersionId,
    filePath: state === 'succeeded' ? `/api/v1/batches/${id}/file` : null,
    problem: problem && { code: problem.code, detail: problem.detail },
  });
}

/** The headers that go with `body`. @param id the same in every try, so that the receiver knows what it has seen */
export function signedHeaders(
  { id, timestampSeconds, secret }: { id: string; timestampSeconds: number; secret: string },
  body: string,
): Record<string, string> {
  const key = secret.startsWith(encodedPrefix)
    ? Buffer.from(secret.slice(encodedPrefix.length), 'base64')
    : Buffer.from(secret);
  const signed = `${id}.${timestampSeconds}.${body}`;
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
  };
}
