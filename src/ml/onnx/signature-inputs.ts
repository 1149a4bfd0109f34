// The inputs of a foreign ONNX model as columns. One input a column (rows x 1), as scikit-learn's pipelines are exported,
// or one tensor of many columns (rows x columns), as most other writers do it; or both, one after the other.
import { Problem } from '../../base/problems.ts';
import type { ColumnKind } from '../frame/schema.ts';
import { elementTypeNames, type OnnxPort } from './read.ts';

export const inputTypes = [
  'float32',
  'double',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'int64',
  'bool',
  'string',
] as const;
export type InputType = (typeof inputTypes)[number];

/** One input of the graph. */
export interface OnnxInput {
  name: string;
  type: InputType;
  /** Whether the graph takes rows x columns, or a list of rows. */
  dimensionCount: 1 | 2;
  columns: { name: string; kind: ColumnKind }[];
}

const mostColumns = 20_000;

/** @throws Problem `onnx-unsupported`, or `invalid-request` where names of columns are needed or do not fit */
export function columnsOfInputs(
  ports: readonly OnnxPort[],
  { columns, kinds }: { columns: readonly string[] | undefined; kinds: ReadonlyMap<string, ColumnKind> },
): { inputs: OnnxInput[]; batchRowCount: number | null } {
  if (ports.length === 0) throw unsupported('The model has no inputs.');
  const forms = ports.map(formOf);
  const unknown = forms.filter(({ width }) => width === null);
  const knownCount = forms.reduce((sum, { width }) => sum + (width ?? 0), 0);
  if (unknown.length > 1 || (unknown.length === 1 && !columns))
    throw wrongColumns(`the file does not say how many columns "${unknown[0]!.name}" has: list their names`);
  const spare = (columns?.length ?? 0) - knownCount;
  if (unknown.length === 1 && spare < 1)
    throw wrongColumns(`the model takes more than ${columns!.length} columns`);
  const widths = forms.map(({ width }) => width ?? spare);
  const names = columns ?? forms.flatMap((form, index) => namesFor(form, widths[index]!, forms.length));
  checkNames(
    names,
    widths.reduce((sum, width) => sum + width, 0),
  );
  let at = 0;
  const inputs = forms.map(({ name, type, dimensionCount }, index) => {
    const own = names.slice(at, (at += widths[index]!));
    const kindOf = (column: string): ColumnKind => notedKind(kinds.get(column), type) ?? kindOfType(type);
    return {
      name,
      type,
      dimensionCount,
      columns: own.map((column) => ({ name: column, kind: kindOf(column) })),
    };
  });
  return { inputs, batchRowCount: batchOf(forms) };
}

interface Form {
  name: string;
  type: InputType;
  dimensionCount: 1 | 2;
  rowCount: number | null;
  /** Columns; null where the file does not say. */
  width: number | null;
}

function formOf({ name, elementType, shape }: OnnxPort): Form {
  const typeName = elementTypeNames.get(elementType ?? 0);
  const type = inputTypes.find((one) => one === typeName);
  if (!type)
    throw unsupported(
      elementType === undefined
        ? `The input "${name}" is no tensor.`
        : `The input "${name}" is a tensor of ${typeName ?? `type ${elementType}`}; taken are ${inputTypes.join(', ')}.`,
    );
  if (!shape) return { name, type, dimensionCount: 2, rowCount: null, width: null };
  if (shape.length === 1 && shape[0] === null)
    return { name, type, dimensionCount: 1, rowCount: null, width: 1 };
  if (shape.length !== 2) {
    const form = `[${shape.map((length) => length ?? 'rows').join(', ')}]`;
    throw unsupported(
      `The input "${name}" has the form ${form}; taken are tables, [rows, columns]. ` +
        'Models of pictures, sounds and texts are not taken.',
    );
  }
  return { name, type, dimensionCount: 2, rowCount: shape[0]!, width: shape[1]! };
}

function batchOf(forms: readonly Form[]): number | null {
  const counts = new Set(forms.flatMap(({ rowCount }) => rowCount ?? []));
  if (counts.size > 1)
    throw unsupported(`The inputs take different numbers of rows at once: ${[...counts].join(', ')}.`);
  return [...counts][0] ?? null;
}

/** A column by the name of its input; several by their number, after the name of the input where there are more. */
function namesFor({ name }: Form, width: number, inputCount: number): string[] {
  if (width === 1) return [name];
  return Array.from({ length: width }, (_, index) => (inputCount === 1 ? `f${index}` : `${name}_${index}`));
}

function checkNames(names: readonly string[], columnCount: number): void {
  if (columnCount > mostColumns)
    throw unsupported(`The model takes ${columnCount} columns; at most ${mostColumns} are taken.`);
  if (names.length !== columnCount)
    throw wrongColumns(`the model takes ${columnCount} columns, and ${names.length} are named`);
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) throw wrongColumns(`"${twice}" is named twice`);
  if (names.includes('')) throw wrongColumns('a name is empty');
}

/** Numbers may stand for dates or truths where the writer says so. */
function notedKind(kind: ColumnKind | undefined, type: InputType): ColumnKind | undefined {
  return (kind === 'date' || kind === 'boolean') && type === 'double' ? kind : undefined;
}

function kindOfType(type: InputType): ColumnKind {
  if (type === 'string') return 'categorical';
  return type === 'bool' ? 'boolean' : 'numeric';
}

function unsupported(detail: string): Problem {
  return new Problem('onnx-unsupported', detail);
}

function wrongColumns(message: string): Problem {
  return new Problem('invalid-request', `columns: ${message}.`, {
    errors: [{ field: 'body.columns', message }],
  });
}
