// `POST /endpoints/NAME/invocations` and `GET /endpoints/NAME/ping`: the addresses of SageMaker's run-time API, whose
// unmodified clients find them when their endpoint URL is this server, with the bodies that SageMaker's containers and
// MLflow's scoring server take.
// https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
//
// AWS clients sign requests with a secret that this server does not have, so `Authorization` says nothing here: the key
// is what they send as their session token. Signatures are not checked.
import { Problem, type ProblemCode } from '../../base/problems.ts';
import { predictionsHeader, predictionsLines } from '../../pipeline/predict/csv.ts';
import type { Context } from '../../platform/context.ts';
import type { Protocol, ProtocolAnswer, ProtocolRequest } from '../../platform/http/protocol.ts';
import { answer, endpointOf, type Answered } from '../endpoints.ts';
import { columnsOf } from '../question.ts';
import { formOf, mediaTypes, readInvocation, type Form, type Invocation } from './bodies.ts';

/** What AWS clients call our problems; others are told by their status. */
const awsErrors: Partial<Record<ProblemCode, string>> = {
  'not-signed-in': 'UnrecognizedClientException',
  'not-allowed': 'AccessDeniedException',
  'budget-exceeded': 'AccessDeniedException',
  'endpoint-not-ready': 'ModelNotReadyException',
  'too-many-requests': 'ThrottlingException',
  unavailable: 'ServiceUnavailable',
};

export const invocations: Protocol = {
  name: 'invocations',
  base: '/endpoints',
  keyHeader: 'x-amz-security-token',
  refuse,
  routes: [
    {
      method: 'post',
      path: '/endpoints/{endpoint}/invocations',
      policy: 'endpoint:predict',
      handle: invoke,
    },
    { method: 'get', path: '/endpoints/{endpoint}/ping', policy: 'endpoint:read', handle: ping },
  ],
};

async function invoke(context: Context, request: ProtocolRequest): Promise<ProtocolAnswer> {
  const { params, header, body } = request;
  const wanted = wantedForm(header('accept'));
  const invocation = await readInvocation(context, body, header('content-type'));
  const answered = await answer(context, { endpoint: params['endpoint']! }, invocation.question);
  const { version, answers } = answered;
  return {
    status: 200,
    headers: {
      'Content-Type': mediaTypes[wanted.form ?? invocation.form],
      'X-Amzn-Invoked-Production-Variant': 'AllTraffic',
      'X-Pilvi-Model-Version': version.modelVersionId,
      // Names of columns may be in any language: headers are ASCII.
      ...(answers.warnings.length > 0 && {
        'X-Pilvi-Warnings': encodeURIComponent(answers.warnings.join('\n')),
      }),
    },
    body: showAnswer(wanted.form ?? invocation.form, answered, wanted.hasHeader ?? invocation),
  };
}

async function ping(context: Context, { params }: ProtocolRequest): Promise<ProtocolAnswer> {
  const endpoint = await endpointOf(context, { endpoint: params['endpoint']! });
  if (endpoint.state !== 'ready')
    throw new Problem('endpoint-not-ready', `No version answers for "${endpoint.name}".`);
  return { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '\n' };
}

/** The first form of Accept that is known; none where anything will do. */
function wantedForm(accept: string | undefined): { form?: Form; hasHeader?: boolean } {
  const ranges = (accept ?? '*/*').split(',').map((range) => range.trim());
  for (const range of ranges) {
    const { form, parameters } = formOf(range);
    const header = /\bheader\s*=\s*"?(present|absent)/.exec(parameters)?.[1];
    if (form !== undefined) return { form, ...(header !== undefined && { hasHeader: header === 'present' }) };
    if (/^(\*|application)\/\*/.test(range) || range === '') return {};
  }
  throw new Problem(
    'unsupported-media-type',
    `Accept is "${accept!.slice(0, 80)}"; answers are text/csv, application/json or application/jsonlines.`,
  );
}

function showAnswer(form: Form, { answers }: Answered, header: boolean | Invocation): string {
  const { likelyClasses, ...columns } = columnsOf(answers);
  switch (form) {
    case 'csv': {
      const table = { ...columns, warnings: [] };
      const hasHeader = typeof header === 'boolean' ? header : header.hasHeader();
      return `${hasHeader ? predictionsHeader(table) : ''}${predictionsLines(table)}`;
    }
    case 'json-lines':
      return answers.predictions.map((prediction) => `${JSON.stringify(prediction)}\n`).join('');
    case 'json': {
      const { prediction, probabilities, lower, upper } = columns;
      return JSON.stringify({
        // Where MLflow's clients look; what goes with each prediction lies beside it, in the same order.
        predictions: prediction,
        ...(probabilities && { probabilities: answers.predictions.map((each) => each.probabilities) }),
        ...(likelyClasses && { likelyClasses }),
        ...(lower && upper && { lower: [...lower], upper: [...upper] }),
        requestId: answers.requestId,
        modelVersionId: answers.modelVersionId,
        warnings: answers.warnings,
      });
    }
    default:
      return form satisfies never;
  }
}

/** One body for both: MLflow's `error_code` and `message`; AWS clients read the header and the same `message`. */
function refuse({ status, code, message, errors }: Problem): ProtocolAnswer {
  const name =
    awsErrors[code] ??
    (status >= 500 ? 'InternalFailure' : status === 429 ? 'ThrottlingException' : 'ValidationError');
  return {
    status,
    headers: { 'Content-Type': 'application/json', 'X-Amzn-ErrorType': name },
    body: JSON.stringify({
      error_code: mlflowCode(status),
      message,
      code,
      ...(errors && { errors }),
    }),
  };
}

function mlflowCode(status: number): string {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'PERMISSION_DENIED';
  if (status === 404) return 'RESOURCE_DOES_NOT_EXIST';
  if (status === 503) return 'TEMPORARILY_UNAVAILABLE';
  return status >= 500 ? 'INTERNAL_ERROR' : 'BAD_REQUEST';
}
