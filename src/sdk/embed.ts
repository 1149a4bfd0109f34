// The model behind an endpoint, here: in a page, on a device, in a program at the edge. It is brought once and asked without
// a network, with the same bits as the endpoint's; nothing that is asked leaves the place, and nothing is logged or charged.
//
//   import { createClient } from 'pilvi/client';
//   import { embedEndpoint } from 'pilvi/embed';
//   import { openModel } from 'pilvi/predictor';
//   const embedded = await embedEndpoint(createClient({ baseUrl, token }), { endpointId, openModel });
//   embedded.model.predictRows([{ age: 31 }]).predictions[0];
import type { AnswerFor, Client } from './types.ts';

type Endpoint = AnswerFor<'getEndpoint'>;

/** The `openModel` of `pilvi/predictor`, which is not part of the client: few need it, and it is as large as the rest. */
export type OpenModel<Model> = (bytes: Uint8Array, trust: { trusted: readonly string[] }) => Promise<Model>;

/** What can be asked here. */
export interface Embedded<Model> {
  /** As `openModel` gave it: checked, and signed by a key that the server trusts. */
  readonly model: Model;
  readonly modelVersionId: string;
  /** Looks whether another version answers by now, and takes it over. True: it did. What is here answers until then. */
  refresh(): Promise<boolean>;
}

/**
 * Brings the version that most of the endpoint's traffic goes to.
 * @throws PilviError `not-found`; what `openModel` throws when the file was not signed by the server or is not ours
 */
export async function embedEndpoint<Model>(
  client: Pick<Client, 'getEndpoint' | 'downloadModelFile' | 'listSigningKeys'>,
  { endpointId, openModel }: { endpointId: string; openModel: OpenModel<Model> },
): Promise<Embedded<Model>> {
  const open = async (versionId: string): Promise<{ model: Model; modelVersionId: string }> => {
    const [file, { items }] = await Promise.all([
      client.downloadModelFile({ versionId }),
      client.listSigningKeys({}),
    ]);
    const trusted = items.filter(({ withdrawnAt }) => withdrawnAt === null).map(({ publicKey }) => publicKey);
    return { model: await openModel(await file.bytes(), { trusted }), modelVersionId: versionId };
  };
  let current = await open(mostAsked(await client.getEndpoint({ endpointId })));
  return {
    get model() {
      return current.model;
    },
    get modelVersionId() {
      return current.modelVersionId;
    },
    refresh: async () => {
      const wanted = mostAsked(await client.getEndpoint({ endpointId }));
      if (wanted === current.modelVersionId) return false;
      current = await open(wanted);
      return true;
    },
  };
}

/** The version that most of the traffic goes to. */
function mostAsked({ deployments }: Endpoint): string {
  const live = deployments.filter(({ role }) => role === 'live');
  return live.toSorted((a, b) => b.trafficShare - a.trafficShare)[0]!.modelVersionId;
}
