// How an endpoint is served: the settings of a new one, and what a change makes of those that are.
import { Problem } from '../../base/problems.ts';
import type { ServingSettings } from '../../contract/endpoint.ts';

export type ServingChange = { [Name in keyof ServingSettings]?: ServingSettings[Name] | undefined };

/** Nothing is kept ready that nobody asks for; the machine bounds replicas further. */
export const defaultServing: ServingSettings = {
  place: 'automatic',
  minReplicas: 0,
  maxReplicas: 4,
  idleMinutes: 15,
};

/** What is left out of `change` stays. Throws `invalid-request`. */
export function changedServing(current: ServingSettings, change: ServingChange): ServingSettings {
  const changed = {
    place: change.place ?? current.place,
    minReplicas: change.minReplicas ?? current.minReplicas,
    maxReplicas: change.maxReplicas ?? current.maxReplicas,
    idleMinutes: change.idleMinutes ?? current.idleMinutes,
  };
  if (changed.minReplicas > changed.maxReplicas) {
    const detail = `At least ${changed.minReplicas} replicas and at most ${changed.maxReplicas} is not possible.`;
    const errors = [{ field: 'body.minReplicas', message: 'must not be more than maxReplicas' }];
    throw new Problem('invalid-request', detail, { errors });
  }
  return changed;
}
