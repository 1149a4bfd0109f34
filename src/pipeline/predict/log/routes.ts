// The addresses of the prediction log.
import * as operations from '../../../contract/prediction-log.ts';
import { route, type Route } from '../../../platform/http/route.ts';
import { sendOutcomes, sendOutcomesCsv } from './outcomes.ts';
import {
  exportPredictionLog,
  getLoggedPrediction,
  getPredictionLog,
  listLoggedPredictions,
  queryPredictionLog,
} from './reads.ts';
import { explainPrediction, getPredictionEvidence, rerunPrediction } from './rerun.ts';

export const logRoutes: Route[] = [
  route(operations.getPredictionLog, (context, { endpointId }) => getPredictionLog(context, endpointId)),
  route(operations.listLoggedPredictions, (context, { endpointId, ...query }) =>
    listLoggedPredictions(context, endpointId, query),
  ),
  route(operations.getLoggedPrediction, (context, { endpointId, predictionId }) =>
    getLoggedPrediction(context, endpointId, predictionId),
  ),
  route(operations.rerunPrediction, (context, { endpointId, predictionId }) =>
    rerunPrediction(context, endpointId, predictionId),
  ),
  route(operations.explainPrediction, (context, { endpointId, predictionId }) =>
    explainPrediction(context, endpointId, predictionId),
  ),
  route(operations.getPredictionEvidence, (context, { endpointId, predictionId }) =>
    getPredictionEvidence(context, endpointId, predictionId),
  ),
  route(operations.queryPredictionLog, (context, { endpointId, body }) =>
    queryPredictionLog(context, endpointId, body),
  ),
  route(operations.exportPredictionLog, (context, { endpointId, from, to }) =>
    exportPredictionLog(context, endpointId, { from, to }),
  ),
  route(operations.sendOutcomes, (context, { endpointId, body }) =>
    sendOutcomes(context, endpointId, body.outcomes),
  ),
  route(operations.sendOutcomesCsv, (context, { endpointId, stream }) =>
    sendOutcomesCsv(context, endpointId, stream),
  ),
];
