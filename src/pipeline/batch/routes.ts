// The addresses of batches.
import * as operations from '../../contract/batch.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  cancelBatch,
  createBatch,
  deleteBatch,
  downloadBatch,
  getBatch,
  listBatches,
  quoteBatch,
} from './batch.ts';

export const batchRoutes: Route[] = [
  route(operations.quoteBatch, (context, { projectId, body }) => quoteBatch(context, projectId, body)),
  route(operations.createBatch, (context, { projectId, body }) => createBatch(context, projectId, body)),
  route(operations.listBatches, (context, input) => listBatches(context, input)),
  route(operations.getBatch, (context, { batchId }) => getBatch(context, batchId)),
  route(operations.cancelBatch, (context, { batchId }) => cancelBatch(context, batchId)),
  route(operations.downloadBatch, (context, { batchId }) => downloadBatch(context, batchId)),
  route(operations.deleteBatch, (context, { batchId }) => deleteBatch(context, batchId)),
];
