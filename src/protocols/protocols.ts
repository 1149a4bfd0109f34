// Every protocol of other people's that the server speaks, beside its own API.
import type { Protocol } from '../platform/http/protocol.ts';
import { invocations } from './invocations/invocations.ts';
import { openInference } from './open-inference/open-inference.ts';
import { vertex } from './vertex.ts';

/** The protocols, as a server of `version` speaks them. */
export function protocols(version: string): Protocol[] {
  return [openInference({ version }), invocations, vertex];
}
