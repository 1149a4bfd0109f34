// The addresses of comparisons.
import * as operations from '../../contract/comparison.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  createComparison,
  getComparison,
  getGateRule,
  listComparisonFlips,
  listComparisons,
  setGateRule,
} from './compare.ts';

export const compareRoutes: Route[] = [
  route(operations.createComparison, (context, { endpointId, body }) =>
    createComparison(context, endpointId, body),
  ),
  route(operations.listComparisons, (context, input) => listComparisons(context, input)),
  route(operations.getComparison, (context, { comparisonId }) => getComparison(context, comparisonId)),
  route(operations.listComparisonFlips, (context, input) => listComparisonFlips(context, input)),
  route(operations.getGateRule, (context, { endpointId }) => getGateRule(context, endpointId)),
  route(operations.setGateRule, (context, { endpointId, body }) =>
    setGateRule(context, endpointId, body.rule),
  ),
];
