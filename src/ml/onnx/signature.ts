// What a foreign ONNX model takes and answers, in our words: columns, task, classes, and which output says what. Made in
// two steps when a model is imported: what the file tells (`draftSignature`), then what a first run shows
// (`completeSignature`), because writers leave out lengths and do not say whether scores are probabilities.
//
// Known writers: skl2onnx and onnxmltools (scikit-learn, LightGBM, XGBoost: a label and probabilities, or a number),
// torch.onnx (one tensor in, one out), and our own export, which notes its task, target, classes and kinds of columns.
import { Problem } from '../../base/problems.ts';
import { columnKinds, hasClasses, tasks, type ColumnKind, type Task } from '../frame/schema.ts';
import { columnsOfInputs, type OnnxInput } from './signature-inputs.ts';
import { elementTypeNames, type OnnxFile, type OnnxNode, type OnnxPort } from './read.ts';
import { zippedValues, zipMap } from './without-zip-maps.ts';

/** What whoever brings the file may say, where the file does not. */
export interface OnnxOptions {
  task?: Task | undefined;
  /** What is predicted, in a word. */
  target?: string | undefined;
  /** In the order of the model's scores. */
  classes?: readonly string[] | undefined;
  /** Names of the columns, in the order in which the inputs take them. */
  columns?: readonly string[] | undefined;
}

/**
 * `probabilities`: one for each class. `logits`: one for each class, before the softmax. `positive`: the probability of
 * the second of two classes. `positive-logit`: its log-odds. `none`: something else, which is not shown.
 */
export type ScoreMeaning = 'probabilities' | 'logits' | 'positive' | 'positive-logit' | 'none';

export interface OnnxSignature {
  task: Task;
  target: string;
  classes: string[];
  /** What the model itself calls the classes, in the same order. */
  labels: string[];
  inputs: OnnxInput[];
  /** Rows that the graph takes at once, where it takes no other number. */
  batchRowCount: number | null;
  /** Names of outputs. */
  label: string | null;
  scores: { output: string; meaning: ScoreMeaning } | null;
  value: string | null;
  interval: { lower: string; upper: string } | null;
}

export interface Draft extends Omit<OnnxSignature, 'classes' | 'labels' | 'scores'> {
  /** Undefined where the file names none. */
  labels: string[] | undefined;
  /** Names that were given. */
  wantedClasses: string[] | undefined;
  scores: { output: string; meaning: ScoreMeaning | undefined } | null;
}

const numberTypes = new Set(['float32', 'double']);
const labelTypes = new Set(['int64', 'int32', 'string']);
const mostClasses = 10_000;

/** @throws Problem `onnx-unsupported` naming what is not taken, or `invalid-request` for options that do not fit */
export function draftSignature(file: OnnxFile, options: OnnxOptions): Draft {
  const outputs = outputsOf(file);
  const label = outputs.find(({ type, width }) => labelTypes.has(type) && width !== undefined && width <= 1);
  const numbers = outputs.filter(({ type }) => numberTypes.has(type));
  const interval = file.properties.has('pilvi.task') ? intervalOf(numbers) : null;
  const [answer, ...others] = numbers.filter(
    ({ name }) => name !== interval?.lower && name !== interval?.upper,
  );
  if (others.length > 0 || (!answer && !label))
    throw unsupported(
      `The model has ${outputs.length} outputs (${listed(outputs)}), and it is not clear which one answers. ` +
        'Export it with one output of numbers, or with a label and its probabilities.',
    );
  const ending = answer && endOf(file.nodes, answer.name);
  const task = taskOf(options.task ?? notedTask(file), { label, answer, ending });
  const isClassifier = hasClasses(task);
  const { inputs, batchRowCount } = columnsOfInputs(file.inputs, {
    columns: options.columns,
    kinds: notedKinds(file),
  });
  const value = isClassifier ? undefined : (answer ?? label)?.name;
  return {
    task,
    target: options.target ?? file.properties.get('pilvi.target') ?? value ?? label?.name ?? answer!.name,
    labels: isClassifier ? knownLabels(file, label?.name) : [],
    wantedClasses: options.classes && [...options.classes],
    inputs,
    batchRowCount,
    label: isClassifier ? (label?.name ?? null) : null,
    scores: isClassifier && answer ? { output: answer.name, meaning: meaningOf(ending, answer.width) } : null,
    value: value ?? null,
    interval: isClassifier ? null : interval,
  };
}

/** What a run gave: of each output, its lengths and its values row by row. */
export type OnnxValues = ReadonlyMap<string, { shape: number[]; values: readonly (number | string)[] }>;

/** The whole signature, once the model has answered `rowCount` rows. @throws Problem as {@link draftSignature} */
export function completeSignature(
  { wantedClasses, ...draft }: Draft,
  answers: OnnxValues,
  rowCount: number,
): OnnxSignature {
  const { scores, label, task } = draft;
  if (!hasClasses(task)) return { ...draft, classes: [], labels: [], scores: null };
  const answered = label === null ? undefined : answers.get(label)!.values.map(String);
  const table = scores && answers.get(scores.output)!;
  const width = table ? table.values.length / rowCount : undefined;
  const labels = draft.labels ?? labelsOf({ answered, width, wantedClasses });
  checkLabels(labels, { task, answered, width });
  const meaning =
    table && (scores.meaning ?? seenMeaning(table.values as number[], width!, answered !== undefined));
  if (meaning === 'none' && answered === undefined)
    throw unsupported('The scores of the model cannot be read.');
  return {
    ...draft,
    task: labels.length === 2 ? 'binary' : 'multiclass',
    classes: namesOf(labels, wantedClasses),
    labels,
    scores: scores && { output: scores.output, meaning: meaning! },
  };
}

export function unsupported(detail: string): Problem {
  return new Problem('onnx-unsupported', detail);
}

interface Output {
  name: string;
  type: string;
  /** Values a row; undefined where the file does not say. */
  width: number | undefined;
}

/** The outputs as they are without ZipMap nodes. */
function outputsOf({ outputs, nodes }: OnnxFile): Output[] {
  const zipped = zippedValues(nodes);
  return outputs.map((port) => {
    if (zipped.has(port.name)) return { name: zipped.get(port.name)!, type: 'float32', width: undefined };
    const type = elementTypeNames.get(port.elementType ?? 0);
    if (type === undefined)
      throw unsupported(
        `The output "${port.name}" is no tensor. Sequences and maps are read only where a ${zipMap} node makes them.`,
      );
    return { name: port.name, type, width: widthOf(port) };
  });
}

function widthOf({ name, shape }: OnnxPort): number | undefined {
  if (!shape) return undefined;
  if (shape.length > 2)
    throw unsupported(
      `The output "${name}" has ${shape.length} dimensions; one row has to give one list of numbers.`,
    );
  return shape.length < 2 ? 1 : (shape[1] ?? undefined);
}

function intervalOf(numbers: readonly Output[]): OnnxSignature['interval'] {
  const has = (wanted: string): boolean => numbers.some(({ name }) => name === wanted);
  return has('lower') && has('upper') ? { lower: 'lower', upper: 'upper' } : null;
}

/** The node that a value comes from, seen through those that change nothing but its form. */
function endOf(nodes: readonly OnnxNode[], value: string): OnnxNode | undefined {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  let maker = makers.get(value);
  for (let count = 0; maker && passing.has(maker.operator) && count < nodes.length; count++)
    maker = makers.get(maker.inputs[0] ?? '');
  return maker;
}

const passing = new Set(['Identity', 'Cast', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

function taskOf(
  wanted: Task | undefined,
  {
    label,
    answer,
    ending,
  }: { label?: Output | undefined; answer?: Output | undefined; ending?: OnnxNode | undefined },
): Task {
  const isOneNumber = answer?.width === 1;
  if (wanted !== undefined) {
    if (!hasClasses(wanted) && label && answer)
      throw wrongOption('task', `the model gives classes ("${label.name}"), not a number`);
    if (!hasClasses(wanted) && answer?.width !== undefined && !isOneNumber)
      throw wrongOption(
        'task',
        `the output "${answer.name}" has ${answer.width} numbers for each row, not one`,
      );
    return wanted;
  }
  if (label) return 'multiclass';
  if (isOneNumber) return ending?.operator === 'Sigmoid' ? 'binary' : 'regression';
  if (answer?.width !== undefined) return 'multiclass';
  throw wrongOption(
    'task',
    'the file does not say whether the model gives classes or a number: name the task',
  );
}

function meaningOf(ending: OnnxNode | undefined, width: number | undefined): ScoreMeaning | undefined {
  if (ending?.operator === 'Softmax') return 'probabilities';
  if (ending?.operator === 'LogSoftmax') return 'logits';
  return ending?.operator === 'Sigmoid' && width === 1 ? 'positive' : undefined;
}

function notedTask({ properties }: OnnxFile): Task | undefined {
  return tasks.find((task) => task === properties.get('pilvi.task'));
}

/** The kinds of columns, as our own export notes them. */
function notedKinds({ properties }: OnnxFile): ReadonlyMap<string, ColumnKind> {
  const noted = jsonOf(properties.get('pilvi.columns'));
  if (typeof noted !== 'object' || noted === null) return new Map();
  return new Map(
    Object.entries(noted).flatMap(([name, kind]) => {
      const known = columnKinds.find((one) => one === kind);
      return known ? [[name, known] as const] : [];
    }),
  );
}

/** The model's classes where the file tells them: noted by our own export, at a node that knows them, or as a list. */
function knownLabels(file: OnnxFile, label: string | undefined): string[] | undefined {
  const noted = jsonOf(file.properties.get('pilvi.classes'));
  if (Array.isArray(noted) && noted.every((name) => typeof name === 'string')) return noted;
  const named = file.nodes.find((node) => node.classes);
  if (named) return named.classes;
  const picker = label === undefined ? undefined : endOf(file.nodes, label);
  const isPicker = picker?.operator === 'ArrayFeatureExtractor' || picker?.operator === 'Gather';
  return isPicker ? file.listOf(picker.inputs[0] ?? '') : undefined;
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Answered {
  /** Labels of the first run; undefined of a model that gives scores alone. */
  answered: readonly string[] | undefined;
  /** Scores of one row. */
  width: number | undefined;
}

/** Where the file does not tell, classes are what the caller says, or the numbers that stand for them. */
function labelsOf({
  answered,
  width,
  wantedClasses,
}: Answered & { wantedClasses: readonly string[] | undefined }): string[] {
  const count = width === undefined ? wantedClasses?.length : Math.max(2, width);
  if (wantedClasses && answered?.every((label) => wantedClasses.includes(label))) return [...wantedClasses];
  if (count === undefined || answered?.some((label) => !/^\d+$/.test(label)))
    throw wrongOption('classes', 'the file does not name the classes: list them in the order of the model');
  return Array.from({ length: count }, (_, index) => String(index));
}

function checkLabels(labels: readonly string[], { task, answered, width }: Answered & { task: Task }): void {
  if (labels.length < 2 || labels.length > mostClasses)
    throw unsupported(`The model has ${labels.length} classes; from 2 to ${mostClasses} are taken.`);
  const scoreCount = width === 1 ? 2 : width;
  if (scoreCount !== undefined && scoreCount !== labels.length)
    throw wrongOption(
      'classes',
      `the model gives ${scoreCount} scores, and there are ${labels.length} classes`,
    );
  const other = answered?.find((label) => !labels.includes(label));
  if (other !== undefined)
    throw wrongOption(
      'classes',
      `the model answers "${other}", which is not one of ${labels.slice(0, 5).join(', ')}`,
    );
  if (task === 'binary' && labels.length > 2)
    throw wrongOption('task', `the model has ${labels.length} classes, and binary means two`);
}

/** The names that are shown: the wanted ones instead of the model's own, in the same order, unless they are the same. */
function namesOf(labels: readonly string[], wanted: readonly string[] | undefined): string[] {
  if (!wanted || wanted.every((name) => labels.includes(name))) return checkedNames(labels, labels.length);
  return checkedNames(wanted, labels.length);
}

function checkedNames(names: readonly string[], count: number): string[] {
  if (names.length !== count)
    throw wrongOption('classes', `the model has ${count} classes, and ${names.length} are named`);
  if (new Set(names).size < names.length) throw wrongOption('classes', 'two classes have the same name');
  return [...names];
}

/** What scores are, told by their values: several rows that are all shares with sum one are no accident. */
function seenMeaning(values: readonly number[], width: number, hasLabels: boolean): ScoreMeaning {
  const areShares = values.every((value) => value >= -shareTolerance && value <= 1 + shareTolerance);
  if (width === 1) return areShares ? 'positive' : hasLabels ? 'none' : 'positive-logit';
  const sums = Array.from({ length: values.length / width }, (_, row) =>
    values.slice(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0),
  );
  if (areShares && sums.every((sum) => Math.abs(sum - 1) < 1e-3)) return 'probabilities';
  // Beside a label stand the margins of a classifier that knows no probabilities, such as a support vector machine.
  return hasLabels ? 'none' : 'logits';
}

const shareTolerance = 1e-5;

function wrongOption(field: string, message: string): Problem {
  return new Problem('invalid-request', `${field}: ${message}.`, {
    errors: [{ field: `body.${field}`, message }],
  });
}

function listed(outputs: readonly Output[]): string {
  return outputs
    .slice(0, 5)
    .map(({ name }) => `"${name.slice(0, 60)}"`)
    .join(', ');
}
