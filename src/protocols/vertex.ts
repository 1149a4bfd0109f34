// Vertex AI's online predictions over HTTP: `POST .../endpoints/NAME:predict` with {"instances": [...]}. Answers have the
// shape of Vertex' tabular models: classes with scores, or a value with bounds.
// https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.endpoints/predict
//
// The project of the address is a project's id, or `-` for any that the key may use; the location says nothing here.
import { Problem } from '../base/problems.ts';
import { parseJson } from '../platform/http/read-request.ts';
import type { Context } from '../platform/context.ts';
import type { Protocol, ProtocolAnswer, ProtocolRequest } from '../platform/http/protocol.ts';
import { answer } from './endpoints.ts';
import { questionOfJson } from './invocations/bodies.ts';

export const vertex: Protocol = {
  name: 'vertex',
  base: '/v1/projects',
  refuse,
  routes: [
    {
      method: 'post',
      path: '/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:predict',
      policy: 'endpoint:predict',
      handle: predictInstances,
    },
  ],
};

async function predictInstances(
  context: Context,
  { params, header, body }: ProtocolRequest,
): Promise<ProtocolAnswer> {
  const project = params['project']!;
  const reference = { endpoint: params['endpoint']!, projectId: project === '-' ? undefined : project };
  const { answers, version, deploymentId } = await answer(context, reference, questionOf(body, header));
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: JSON.stringify({
      predictions: answers.predictions.map(({ prediction, probabilities, lower, upper }) =>
        probabilities
          ? {
              classes: Object.keys(probabilities),
              scores: Object.values(probabilities),
              // Where costs decide, it is not always the class with the highest score.
              predictedClass: prediction,
            }
          : {
              value: prediction,
              ...(lower !== undefined && { lower_bound: lower, upper_bound: upper }),
            },
      ),
      deployedModelId: deploymentId,
      model: answers.modelVersionId,
      modelDisplayName: version.modelName,
      modelVersionId: String(version.versionNumber),
    }),
  };
}

function questionOf(body: Uint8Array, header: ProtocolRequest['header']): ReturnType<typeof questionOfJson> {
  const type = header('content-type')?.split(';', 1)[0]!.trim().toLowerCase();
  if (type !== undefined && type !== 'application/json')
    throw new Problem(
      'unsupported-media-type',
      `Content-Type is "${type.slice(0, 80)}"; it must be application/json.`,
    );
  const value = parseJson(body);
  const instances = (value as { instances?: unknown } | null)?.instances;
  if (!Array.isArray(instances))
    throw new Problem('invalid-request', 'The body must be {"instances": [...]}.', {
      errors: [{ field: 'instances', message: 'must be a list of rows' }],
    });
  return questionOfJson({ instances });
}

/** Google's error body: https://cloud.google.com/apis/design/errors. */
function refuse({ status, code, message, errors }: Problem): ProtocolAnswer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: JSON.stringify({
      error: {
        code: status,
        message,
        status: googleStatus(status),
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: code,
            domain: 'pilvi',
            ...(errors && {
              metadata: Object.fromEntries(errors.map(({ field, message: fault }) => [field, fault])),
            }),
          },
        ],
      },
    }),
  };
}

function googleStatus(status: number): string {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED';
    case 402:
      return 'RESOURCE_EXHAUSTED';
    case 403:
      return 'PERMISSION_DENIED';
    case 404:
      return 'NOT_FOUND';
    case 409:
      return 'FAILED_PRECONDITION';
    case 429:
      return 'RESOURCE_EXHAUSTED';
    case 503:
      return 'UNAVAILABLE';
    default:
      return status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT';
  }
}
