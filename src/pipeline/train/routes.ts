// The addresses of trainings.
import * as operations from '../../contract/training.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { lastEventId } from '../../platform/jobs/routes.ts';
import { learnerCatalogue } from './catalogue.ts';
import {
  cancelTraining,
  createTraining,
  getTraining,
  listTrainings,
  planTraining,
  watchTraining,
} from './train.ts';

export const trainRoutes: Route[] = [
  route(operations.planTraining, (context, { projectId, body }) => planTraining(context, projectId, body)),
  route(operations.createTraining, (context, { projectId, body }) =>
    createTraining(context, projectId, body),
  ),
  route(operations.listTrainings, (context, input) => listTrainings(context, input)),
  route(operations.getTraining, (context, { trainingId }) => getTraining(context, trainingId)),
  route(operations.watchTraining, (context, { trainingId, after }, exchange) =>
    watchTraining(context, trainingId, lastEventId(exchange) ?? after ?? 0),
  ),
  route(operations.cancelTraining, (context, { trainingId }) => cancelTraining(context, trainingId)),
  route(operations.listLearners, async () => learnerCatalogue()),
];
