// The addresses of automatic updates.
import * as operations from '../../contract/update.ts';
import { route, type Route } from '../../platform/http/route.ts';
import {
  cancelUpdate,
  getUpdate,
  getUpdatePolicy,
  listUpdates,
  setUpdatePolicy,
  startUpdate,
  takeBackUpdate,
} from './update.ts';

export const updateRoutes: Route[] = [
  route(operations.getUpdatePolicy, (context, { endpointId }) => getUpdatePolicy(context, endpointId)),
  route(operations.setUpdatePolicy, (context, { endpointId, body }) =>
    setUpdatePolicy(context, endpointId, body),
  ),
  route(operations.startUpdate, (context, { endpointId }) => startUpdate(context, endpointId)),
  route(operations.listUpdates, (context, input) => listUpdates(context, input)),
  route(operations.getUpdate, (context, { updateId }) => getUpdate(context, updateId)),
  route(operations.cancelUpdate, (context, { updateId }) => cancelUpdate(context, updateId)),
  route(operations.takeBackUpdate, (context, { updateId }) => takeBackUpdate(context, updateId)),
];
