// One inference of the Open Inference Protocol: the body to rows by fields, the answers to tensors.
//
// Inputs are either one tensor for each field, of shape [n] or [n, 1], named after it; or one tensor of shape [n, k] whose
// columns are the fields in their order. Outputs: `prediction`, and what goes with it.
import { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import type { ModelVersion } from '../../pipeline/registry/registry.ts';
import { parseJson } from '../../platform/http/read-request.ts';
import type { ProtocolAnswer } from '../../platform/http/protocol.ts';
import type { Answered } from '../endpoints.ts';
import {
  askedByColumns,
  askedByGrid,
  classOrder,
  columnsOf,
  type AnswerColumns,
  type Question,
} from '../question.ts';
import {
  readTensors,
  tensorHeader,
  writeBytes,
  wrong,
  type Datatype,
  type Tensor,
  type TensorHeader,
} from './tensors.ts';

/** Where the JSON of a body or an answer ends and the bytes of its tensors begin. */
export const jsonLengthHeader = 'Inference-Header-Content-Length';

const inferRequest = z.object({
  id: z.string().max(1000).optional(),
  parameters: z.record(z.string(), z.unknown()).default({}),
  inputs: z.array(tensorHeader).min(1).max(10_000),
  outputs: z
    .array(z.object({ name: z.string(), parameters: z.record(z.string(), z.unknown()).default({}) }))
    .optional(),
});
export type InferRequest = z.output<typeof inferRequest>;

/** A tensor that is promised: what metadata tells of an output. */
export interface OutputShape {
  name: string;
  datatype: Datatype;
  /** Values of one row; null: one, without a dimension of its own. */
  width: number | null;
}

/** The request and what it asks. Throws `malformed-body`, `invalid-request` and `prediction-input`. */
export function readInference(
  body: Uint8Array,
  jsonLength: string | undefined,
): { request: InferRequest; question: Question } {
  const length = jsonLength === undefined ? body.length : Number(jsonLength);
  if (!Number.isInteger(length) || length < 0 || length > body.length)
    throw new Problem(
      'malformed-body',
      `${jsonLengthHeader} is ${String(jsonLength).slice(0, 20)}, but the body has ${body.length} bytes.`,
    );
  const parsed = inferRequest.safeParse(parseJson(body.subarray(0, length)));
  if (!parsed.success) {
    const errors = parsed.error.issues
      .slice(0, 20)
      .map(({ path, message }) => ({ field: path.map(String).join('.') || 'body', message }));
    throw new Problem('invalid-request', `${errors[0]!.field}: ${errors[0]!.message}`, { errors });
  }
  const request = parsed.data;
  return { request, question: questionOf(request.inputs, body.subarray(length)) };
}

/** The answer in the form that was asked for: tensors as JSON, as bytes, or some of each. */
export function showInference(
  request: InferRequest,
  { answers, endpoint, version }: Answered,
  askedName: string,
): ProtocolAnswer {
  const columns = columnsOf(answers);
  const rowCount = answers.predictions.length;
  const classes = columns.probabilities && Object.keys(columns.probabilities);
  const shapes = outputShapes(columns, classes);
  const wanted: NonNullable<InferRequest['outputs']> =
    request.outputs ?? shapes.map(({ name }) => ({ name, parameters: {} }));
  const allBinary = request.parameters['binary_data_output'] === true;
  const bytes: Uint8Array[] = [];
  const outputs = wanted.map(({ name, parameters }) => {
    const shape = shapes.find((candidate) => candidate.name === name);
    if (!shape)
      throw wrong(name, `is no output of this model; it has ${shapes.map((each) => each.name).join(', ')}`);
    if (parameters['classification'] !== undefined)
      throw wrong(name, 'cannot be answered as a classification: ask for the output "probabilities"');
    const values = outputValues(columns, shape.name, classes);
    const shared = {
      name,
      datatype: shape.datatype,
      shape: shape.width === null ? [rowCount] : [rowCount, shape.width],
    };
    const labels = shape.width !== null && classes ? { classes: JSON.stringify(classes) } : {};
    if (!(parameters['binary_data'] ?? allBinary)) return { ...shared, parameters: labels, data: values };
    const content = writeBytes(shape.datatype, values);
    bytes.push(content);
    return { ...shared, parameters: { ...labels, binary_data_size: content.length } };
  });
  const json = JSON.stringify({
    model_name: askedName,
    model_version: String(version.versionNumber),
    id: request.id ?? answers.requestId,
    parameters: { endpoint_id: endpoint.id, model_version_id: answers.modelVersionId },
    outputs,
  });
  if (bytes.length === 0) return { status: 200, headers: { 'Content-Type': 'application/json' }, body: json };
  const head = Buffer.from(json);
  return {
    status: 200,
    headers: {
      'Content-Type': 'application/octet-stream',
      [jsonLengthHeader]: String(head.length),
    },
    body: Buffer.concat([head, ...bytes]),
  };
}

/** What a version answers with, for metadata. */
export function outputsOf({ classes, format, task }: ModelVersion): OutputShape[] {
  const hasClasses = classes !== null;
  const named = hasClasses ? Object.fromEntries(classes.map((name) => [name, []])) : undefined;
  // Models that were made elsewhere answer what they say and nothing beyond.
  const hasMore = format === 'pilvi';
  return outputShapes(
    {
      prediction: hasClasses ? [''] : [0],
      ...(named && { probabilities: named as never }),
      ...(hasClasses && hasMore && { likelyClasses: [] }),
      ...(task === 'regression' && hasMore && { lower: new Float64Array(), upper: new Float64Array() }),
    },
    classes === null ? undefined : classOrder(classes),
  );
}

function outputShapes(columns: AnswerColumns, classes: readonly string[] | undefined): OutputShape[] {
  const isText = typeof columns.prediction[0] === 'string';
  const shapes: OutputShape[] = [{ name: 'prediction', datatype: isText ? 'BYTES' : 'FP64', width: null }];
  if (classes) shapes.push({ name: 'probabilities', datatype: 'FP64', width: classes.length });
  if (classes && columns.likelyClasses)
    shapes.push({ name: 'likely', datatype: 'BOOL', width: classes.length });
  if (columns.lower)
    shapes.push(
      { name: 'lower', datatype: 'FP64', width: null },
      { name: 'upper', datatype: 'FP64', width: null },
    );
  return shapes;
}

function outputValues(
  columns: AnswerColumns,
  name: string,
  classes: readonly string[] | undefined,
): unknown[] {
  switch (name) {
    case 'prediction':
      return columns.prediction;
    case 'probabilities':
      return columns.prediction.flatMap((_, row) =>
        classes!.map((label) => columns.probabilities![label]![row]),
      );
    case 'likely':
      return columns.likelyClasses!.flatMap((likely) => classes!.map((label) => likely.includes(label)));
    case 'lower':
      return [...columns.lower!];
    default:
      return [...columns.upper!];
  }
}

function questionOf(headers: readonly TensorHeader[], bytes: Uint8Array): Question {
  const twice = headers.find(({ name }, index) => headers.findIndex((each) => each.name === name) !== index);
  if (twice) throw wrong(twice.name, 'is there twice');
  const tensors = readTensors(headers, bytes);
  const [only] = tensors;
  if (tensors.length === 1 && only!.shape.length === 2 && only!.shape[1] !== 1) return questionOfTable(only!);
  const deep = tensors.find(({ shape }) => shape.length > 2 || (shape.length === 2 && shape[1] !== 1));
  if (deep)
    throw wrong(
      deep.name,
      `has the shape [${deep.shape.join(', ')}]; a field has one value for each row: [n]`,
    );
  return askedByColumns(
    tensors.map(({ name, datatype, values }) => ({ name, values, form: formOf(datatype) })),
  );
}

/** One tensor for all fields, in their order. */
function questionOfTable({ shape, datatype, values }: Tensor): Question {
  const [rowCount, width] = shape as [number, number];
  return askedByGrid({ rowCount, width, values }, formOf(datatype));
}

/** Texts may stand for values of any kind; an empty one for none. */
function formOf(datatype: Datatype): 'text' | 'json' {
  return datatype === 'BYTES' ? 'text' : 'json';
}
