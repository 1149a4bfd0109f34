// The call that tells a program of somebody's that a batch has ended: what is sent, and what is kept of it.
import type { BatchRow } from './rows.ts';

/** What is kept of a callback; the secret goes when it is over. */
export interface StoredCallback {
  url: string;
  secret: string | null;
  state: 'waiting' | 'delivered' | 'failed';
  /** How the last try went, for people. */
  detail: string;
}

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
