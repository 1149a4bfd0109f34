// The addresses of monitoring.
import * as operations from '../../contract/monitor.ts';
import { route, type Route } from '../../platform/http/route.ts';
import { getMonitor, getReport, listAlerts, listReports, makeReport, setMonitor } from './monitor.ts';

export const monitorRoutes: Route[] = [
  route(operations.getMonitor, (context, { endpointId }) => getMonitor(context, endpointId)),
  route(operations.setMonitor, (context, { endpointId, body }) => setMonitor(context, endpointId, body)),
  route(operations.makeMonitorReport, (context, { endpointId, body }) =>
    makeReport(context, { endpointId, ...body }),
  ),
  route(operations.listMonitorReports, (context, input) => listReports(context, input)),
  route(operations.getMonitorReport, (context, { reportId }) => getReport(context, reportId)),
  route(operations.listAlerts, (context, input) => listAlerts(context, input)),
];
