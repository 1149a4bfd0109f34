// The Open Inference Protocol, version 2, over HTTP: what KServe, Triton and MLServer speak. An endpoint is a model; the
// versions that answer for it are its versions, called by their numbers.
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
import { getServer } from '../../contract/server.ts';
import type { Endpoint } from '../../pipeline/deploy/deploy.ts';
import { findEndpoints } from '../../pipeline/deploy/deploy.ts';
import { getModelVersion } from '../../pipeline/registry/registry.ts';
import type { Context } from '../../platform/context.ts';
import { Problem } from '../../base/problems.ts';
import type { Protocol, ProtocolAnswer, ProtocolRequest } from '../../platform/http/protocol.ts';
import { answer, answeringOf, deploymentOf, endpointOf } from '../endpoints.ts';
import { jsonLengthHeader, outputsOf, readInference, showInference } from './infer.ts';
import type { Datatype } from './tensors.ts';

/** The most endpoints that the repository index lists. */
const maxListed = 1_000;

const datatypes: Record<Endpoint['fields'][number]['kind'], Datatype> = {
  numeric: 'FP64',
  boolean: 'BOOL',
  categorical: 'BYTES',
  text: 'BYTES',
  date: 'BYTES',
};

/** The protocol, as the server of this version speaks it. */
export function openInference({ version }: { version: string }): Protocol {
  const model = '/v2/models/{model}';
  const oneVersion = `${model}/versions/{version}`;
  return {
    name: 'open-inference',
    base: '/v2',
    refuse: ({ status, message, code }) => json({ error: `${message} (${code})` }, status),
    routes: [
      { method: 'get', path: '/v2/health/live', policy: 'public', handle: async () => json({ live: true }) },
      { method: 'get', path: '/v2/health/ready', policy: 'public', handle: serverReady },
      {
        method: 'get',
        path: '/v2',
        policy: getServer.policy,
        handle: async () => json({ name: 'pilvi', version, extensions: ['binary_tensor_data'] }),
      },
      ...[model, oneVersion].flatMap((path) => [
        { method: 'get', path, policy: 'endpoint:read', handle: describeModel } as const,
        { method: 'get', path: `${path}/ready`, policy: 'endpoint:read', handle: modelReady } as const,
        { method: 'post', path: `${path}/infer`, policy: 'endpoint:predict', handle: infer } as const,
      ]),
      { method: 'post', path: '/v2/repository/index', policy: 'endpoint:read', handle: listModels },
    ],
  };
}

async function serverReady({ database, blobs }: Context): Promise<ProtocolAnswer> {
  try {
    await Promise.all([database.ping(), blobs.ping()]);
  } catch (error) {
    throw new Problem('unavailable', 'The database or the store of files does not answer.', { cause: error });
  }
  return json({ ready: true });
}

async function modelReady(context: Context, { params }: ProtocolRequest): Promise<ProtocolAnswer> {
  const endpoint = await endpointOf(context, { endpoint: params['model']! });
  if (params['version'] !== undefined) deploymentOf(endpoint, params['version']);
  if (endpoint.state !== 'ready')
    throw new Problem('endpoint-not-ready', `No version answers for "${endpoint.name}".`);
  return json({ name: params['model'], ready: true });
}

async function describeModel(context: Context, { params }: ProtocolRequest): Promise<ProtocolAnswer> {
  const endpoint = await endpointOf(context, { endpoint: params['model']! });
  const { version } = params;
  const shown = version === undefined ? answeringOf(endpoint)[0] : deploymentOf(endpoint, version);
  if (!shown) throw new Problem('endpoint-not-ready', `No version answers for "${endpoint.name}".`);
  const model = await getModelVersion(context, shown.modelVersionId);
  return json({
    name: params['model'],
    versions: answeringOf(endpoint).map(({ versionNumber }) => String(versionNumber)),
    platform: 'pilvi',
    inputs: model.fields.map(({ name, kind }) => ({ name, datatype: datatypes[kind], shape: [-1] })),
    outputs: outputsOf(model).map(({ name, datatype, width }) => ({
      name,
      datatype,
      shape: width === null ? [-1] : [-1, width],
    })),
  });
}

async function infer(context: Context, { params, header, body }: ProtocolRequest): Promise<ProtocolAnswer> {
  const { request, question } = readInference(body, header(jsonLengthHeader));
  const reference = { endpoint: params['model']!, version: params['version'] };
  return showInference(request, await answer(context, reference, question), params['model']!);
}

async function listModels(context: Context): Promise<ProtocolAnswer> {
  const endpoints = await findEndpoints(context, { limit: maxListed });
  const names = Map.groupBy(endpoints, ({ name }) => name);
  return json(
    endpoints.flatMap((endpoint) =>
      answeringOf(endpoint).map(({ versionNumber }) => ({
        name: names.get(endpoint.name)!.length > 1 ? endpoint.id : endpoint.name,
        version: String(versionNumber),
        state: 'READY',
        reason: '',
      })),
    ),
  );
}

function json(value: unknown, status = 200): ProtocolAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}
