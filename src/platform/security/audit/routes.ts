// Routes of the audit log.
import * as contract from '../../../contract/workspace.ts';
import { route, type Route } from '../../http/route.ts';
import { listAuditLines, verifyAudit } from './audit.ts';

export const auditRoutes: Route[] = [
  route(contract.listAuditLines, (context, input) => listAuditLines(context, input)),
  route(contract.verifyAudit, (context) => verifyAudit(context)),
];
