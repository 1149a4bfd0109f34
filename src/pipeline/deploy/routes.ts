// The addresses of endpoints and their deployments; predictions are in pipeline/predict.
import * as operations from '../../contract/endpoint.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  createEndpoint,
  deleteEndpoint,
  deployModel,
  getEndpoint,
  listEndpoints,
  setLogSettings,
  setServingSettings,
} from './deploy.ts';

export const deployRoutes: Route[] = [
  route(operations.createEndpoint, (context, { projectId, body }) =>
    createEndpoint(context, { projectId, ...body }),
  ),
  route(operations.listEndpoints, (context, input) => listEndpoints(context, input)),
  route(operations.getEndpoint, (context, { endpointId }) => getEndpoint(context, endpointId)),
  route(operations.deployModel, (context, { endpointId, body }) =>
    deployModel(context, endpointId, body.deployments),
  ),
  route(operations.setLogSettings, (context, { endpointId, body }) =>
    setLogSettings(context, endpointId, body),
  ),
  route(operations.setServingSettings, (context, { endpointId, body }) =>
    setServingSettings(context, endpointId, body),
  ),
  route(operations.deleteEndpoint, (context, { endpointId }) => deleteEndpoint(context, endpointId)),
];
