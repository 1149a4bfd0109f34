// Everything that the product answers to, does in the background and reacts to, collected from its folders.
import { billingReactions } from '../capabilities/billing/reactions.ts';
import { billingRoutes } from '../capabilities/billing/routes.ts';
import { batchJob } from '../pipeline/batch/jobs.ts';
import { batchReactions } from '../pipeline/batch/reactions.ts';
import { batchRoutes } from '../pipeline/batch/routes.ts';
import { compareJobs } from '../pipeline/compare/jobs.ts';
import { compareReactions } from '../pipeline/compare/reactions.ts';
import { compareRoutes } from '../pipeline/compare/routes.ts';
import { dataJobs } from '../pipeline/data/jobs.ts';
import { dataRoutes } from '../pipeline/data/routes.ts';
import { deployRoutes } from '../pipeline/deploy/routes.ts';
import { predictReactions } from '../pipeline/predict/reactions.ts';
import { monitorJobs } from '../pipeline/monitor/jobs.ts';
import { monitorReactions } from '../pipeline/monitor/reactions.ts';
import { monitorRoutes } from '../pipeline/monitor/routes.ts';
import { predictRoutes } from '../pipeline/predict/routes.ts';
import { releaseReactions } from '../pipeline/release/reactions.ts';
import { releaseRoutes } from '../pipeline/release/routes.ts';
import { registryReactions } from '../pipeline/registry/reactions.ts';
import { registryRoutes } from '../pipeline/registry/routes.ts';
import { trainingJob } from '../pipeline/train/jobs.ts';
import { trainReactions } from '../pipeline/train/reactions.ts';
import { trainRoutes } from '../pipeline/train/routes.ts';
import { updateReactions } from '../pipeline/update/reactions.ts';
import { updateRoutes } from '../pipeline/update/routes.ts';
import type { Reaction } from '../platform/context.ts';
import type { Route } from '../platform/http/route.ts';
import { jobRoutes } from '../platform/jobs/routes.ts';
import { auditRoutes } from '../platform/security/audit/routes.ts';
import type { Authenticator } from '../platform/security/identity/authenticator.ts';
import { identityRoutes } from '../platform/security/identity/routes.ts';
import { keyRoutes } from '../platform/security/keys/routes.ts';
import { signingRoutes } from '../platform/security/signing/routes.ts';
import type { Throttle } from '../platform/security/throttle.ts';
import { tenancyRoutes } from '../platform/tenancy/routes.ts';

/** Every route but the server's own description. */
export function productRoutes(options: {
  authenticator: Authenticator;
  throttle: Throttle;
  tls: boolean;
}): Route[] {
  return [
    ...identityRoutes(options),
    ...tenancyRoutes(options),
    ...keyRoutes(options.authenticator),
    ...auditRoutes,
    ...signingRoutes,
    ...dataRoutes,
    ...trainRoutes,
    ...registryRoutes,
    ...deployRoutes,
    ...predictRoutes,
    ...batchRoutes,
    ...monitorRoutes,
    ...releaseRoutes,
    ...compareRoutes,
    ...updateRoutes,
    ...jobRoutes,
    ...billingRoutes,
  ];
}

/** Every kind of background work. */
export const productJobs = [...dataJobs, trainingJob, batchJob, ...monitorJobs, ...compareJobs];

/** Every reaction to an event. */
export const productReactions: Reaction[] = [
  ...trainReactions,
  ...registryReactions,
  ...batchReactions,
  ...monitorReactions,
  ...releaseReactions,
  ...compareReactions,
  ...updateReactions,
  ...predictReactions,
  ...billingReactions,
];
