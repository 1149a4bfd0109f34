// The addresses of uploads, datasets, their versions, and queries.
import * as operations from '../../contract/dataset.ts';
import * as uploads from '../../contract/upload.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  createDataset,
  createDatasetVersion,
  deleteDataset,
  getDataset,
  getDatasetVersion,
  listDatasets,
  listDatasetVersions,
} from './data.ts';
import {
  downloadDatasetVersion,
  getDatasetProfile,
  getDatasetRows,
  previewImport,
  runQuery,
} from './reads.ts';
import { appendUpload, createUpload, getUpload } from './uploads.ts';

export const dataRoutes: Route[] = [
  route(uploads.createUpload, (context, { projectId, body }) =>
    createUpload(context, { projectId, ...body }),
  ),
  route(uploads.appendUpload, (context, input) => appendUpload(context, input)),
  route(uploads.getUpload, (context, { uploadId }) => getUpload(context, uploadId)),
  route(operations.previewImport, (context, { projectId, body }) =>
    previewImport(context, { projectId, ...body }),
  ),
  route(operations.createDataset, (context, { projectId, body }) =>
    createDataset(context, { projectId, ...body }),
  ),
  route(operations.createDatasetVersion, (context, { datasetId, body }) =>
    createDatasetVersion(context, { datasetId, ...body }),
  ),
  route(operations.listDatasets, (context, input) => listDatasets(context, input)),
  route(operations.getDataset, (context, { datasetId }) => getDataset(context, datasetId)),
  route(operations.deleteDataset, (context, { datasetId }) => deleteDataset(context, datasetId)),
  route(operations.listDatasetVersions, (context, input) => listDatasetVersions(context, input)),
  route(operations.getDatasetVersion, (context, { versionId }) => getDatasetVersion(context, versionId)),
  route(operations.getDatasetProfile, (context, { versionId }) => getDatasetProfile(context, versionId)),
  route(operations.getDatasetRows, (context, input) => getDatasetRows(context, input)),
  route(operations.downloadDatasetVersion, (context, { versionId }) =>
    downloadDatasetVersion(context, versionId),
  ),
  route(operations.runQuery, (context, { projectId, body }) => runQuery(context, { projectId, ...body })),
];
