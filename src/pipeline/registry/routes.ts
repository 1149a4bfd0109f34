// The addresses of models.
import * as explanations from '../../contract/explanation.ts';
import * as operations from '../../contract/model.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  getModel,
  getModelVersion,
  importModelFile,
  listModels,
  listModelVersions,
  removeModelAlias,
  setModelAlias,
} from './registry.ts';

import { explainRows, findCounterfactuals } from './explain.ts';
import { exportModelFile } from './export.ts';
import { importOnnxModel } from './import-onnx.ts';
import { signModelVersion } from './sign.ts';

export const registryRoutes: Route[] = [
  route(operations.listModels, (context, input) => listModels(context, input)),
  route(operations.getModel, (context, { modelId }) => getModel(context, modelId)),
  route(operations.listModelVersions, (context, input) => listModelVersions(context, input)),
  route(operations.getModelVersion, (context, { versionId }) => getModelVersion(context, versionId)),
  route(operations.downloadModelFile, (context, { versionId, format }) =>
    exportModelFile(context, versionId, format),
  ),
  route(operations.importModelFile, (context, input) => importModelFile(context, input)),
  route(operations.importOnnxModel, (context, { projectId, body }) =>
    importOnnxModel(context, { projectId, ...body }),
  ),
  route(explanations.explainRows, (context, { versionId, body }) => explainRows(context, versionId, body)),
  route(explanations.findCounterfactuals, (context, { versionId, body }) =>
    findCounterfactuals(context, versionId, body),
  ),
  route(operations.signModelVersion, (context, { versionId }) => signModelVersion(context, versionId)),
  route(operations.setModelAlias, (context, { modelId, alias, body }) =>
    setModelAlias(context, { modelId, alias, ...body }),
  ),
  route(operations.removeModelAlias, (context, input) => removeModelAlias(context, input)),
];
