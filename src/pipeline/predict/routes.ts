// The addresses that answer with predictions, and those of their log.
import * as operations from '../../contract/endpoint.ts';
import { directRoute, route, type Route } from '../../platform/http/route.ts';
import { logRoutes } from './log/routes.ts';
import { getServingStatus, predict, predictCsv } from './predict.ts';

export const predictRoutes: Route[] = [
  directRoute(operations.predict, (context, { endpointId, body }) => predict(context, endpointId, body.rows)),
  route(operations.predictCsv, async (context, { endpointId, stream }, exchange) => {
    const { output, modelVersionId, warnings } = await predictCsv(context, endpointId, stream);
    exchange.setHeader('X-Pilvi-Model-Version', modelVersionId);
    // Warnings may name columns, which may be in any language: headers are ASCII.
    if (warnings.length > 0) exchange.setHeader('X-Pilvi-Warnings', encodeURIComponent(warnings.join('\n')));
    return output;
  }),
  route(operations.getServingStatus, (context, { endpointId }) => getServingStatus(context, endpointId)),
  ...logRoutes,
];
