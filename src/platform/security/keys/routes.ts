// Routes of keys.
import * as contract from '../../../contract/workspace.ts';
import { route, type Route } from '../../http/route.ts';
import type { Authenticator } from '../identity/authenticator.ts';
import { createKey, listKeys, revokeKey } from './keys.ts';

export function keyRoutes(authenticator: Authenticator): Route[] {
  return [
    route(contract.listKeys, (context, input) => listKeys(context, input)),
    route(contract.createKey, (context, { body }) => createKey(context, body)),
    route(contract.revokeKey, (context, input) => revokeKey(context, authenticator, input)),
  ];
}
