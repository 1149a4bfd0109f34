// Routes of signing keys.
import * as contract from '../../../contract/signing-key.ts';
import { route, type Route } from '../../http/route.ts';
import { listSigningKeys, withdrawSigningKey } from './signing.ts';

export const signingRoutes: Route[] = [
  route(contract.listSigningKeys, (context) => listSigningKeys(context)),
  route(contract.withdrawSigningKey, (context, { publicKey }) => withdrawSigningKey(context, publicKey)),
];
