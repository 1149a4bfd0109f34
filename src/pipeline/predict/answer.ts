// Rows and CSV files through a model: in slices, so that other requests get their turn, and with problems that name
// the row or line they are about. Knows nothing of endpoints, money or HTTP.
import { asProblem, Problem, type FieldError } from '../../base/problems.ts';
import type { PredictedColumns, PredictedRows, Predictor } from '../../ml/model/predictor.ts';
import type { ForeignPredictor } from '../../ml/onnx/foreign.ts';
import { predictionsHeader, predictionsLines, readCsvBlocks, type CsvBlock, type CsvLimits } from './csv.ts';

/** Rows that are answered before other work gets its turn: a few milliseconds. */
const sliceRows = 1_000;
const maximumErrors = 20;

type Row = Readonly<Record<string, unknown>>;

/** Whatever answers: a model made here at once, a foreign one in a while. */
export type Answerer = Pick<Predictor | ForeignPredictor, 'predictRows' | 'predictColumns'>;

/**
 * The answers for `rows`, in their order.
 * @throws Problem `prediction-input` naming fields and, of several rows, the row (the first is 1)
 */
export async function answerRows(model: Answerer, rows: readonly Row[]): Promise<PredictedRows> {
  if (rows.length <= sliceRows) return await answerSlice(model, rows, { first: 0, total: rows.length });
  const predictions: PredictedRows['predictions'] = [];
  const warnings = new Set<string>();
  for (let first = 0; first < rows.length; first += sliceRows) {
    const slice = rows.slice(first, first + sliceRows);
    // oxlint-disable-next-line no-await-in-loop -- slice by slice is the point
    const answer = await answerSlice(model, slice, { first, total: rows.length });
    for (const prediction of answer.predictions) predictions.push(prediction);
    for (const warning of answer.warnings) warnings.add(warning);
    // oxlint-disable-next-line no-await-in-loop -- slice by slice is the point
    await givesWay();
  }
  return { predictions, warnings: [...warnings] };
}

/** A part of the answer to a CSV file. */
export interface CsvAnswer {
  /** Whole lines; the header comes with the first part. */
  text: string;
  rowCount: number;
  warnings: string[];
  /** What was asked and answered, by columns. */
  asked: CsvBlock['columns'];
  answered: PredictedColumns;
}

/**
 * The answers for a CSV file, part by part, in the order of its rows.
 * @throws Problem as {@link readCsvBlocks}, and `prediction-input` naming fields and lines; `file-empty` for a header alone
 */
export async function* answerCsv(
  model: Answerer,
  source: AsyncIterable<Uint8Array>,
  limits: Omit<CsvLimits, 'blockRows'>,
): AsyncGenerator<CsvAnswer> {
  let isFirst = true;
  for await (const block of readCsvBlocks(source, { ...limits, blockRows: sliceRows })) {
    const answer = await answerBlock(model, block);
    const header = isFirst ? predictionsHeader(answer) : '';
    yield {
      text: header + predictionsLines(answer),
      rowCount: block.rowCount,
      warnings: answer.warnings,
      asked: block.columns,
      answered: answer,
    };
    isFirst = false;
    await givesWay();
  }
  if (isFirst) throw new Problem('file-empty', 'The file has a header and no rows.');
}

async function answerSlice(
  model: Answerer,
  rows: readonly Row[],
  place: { first: number; total: number },
): Promise<PredictedRows> {
  try {
    return await model.predictRows(rows);
  } catch (error) {
    if (place.total === 1) throw error;
    throw await locate(error, rows.length, {
      predictOne: (index) => model.predictRows([rows[index]!]),
      nameOf: (index) => `row ${place.first + index + 1}`,
    });
  }
}

async function answerBlock(
  model: Answerer,
  { columns, rowCount, lines }: CsvBlock,
): Promise<PredictedColumns> {
  try {
    return await model.predictColumns(columns, 'text');
  } catch (error) {
    const names = Object.keys(columns);
    throw await locate(error, rowCount, {
      predictOne: (index) =>
        model.predictColumns(
          Object.fromEntries(names.map((name) => [name, [columns[name]![index]!]])),
          'text',
        ),
      nameOf: (index) => `line ${lines[index]}`,
    });
  }
}

/** The problem of many rows, told row by row: each is tried alone until enough faults are found. */
async function locate(
  error: unknown,
  rowCount: number,
  row: { predictOne: (index: number) => unknown; nameOf: (index: number) => string },
): Promise<unknown> {
  if (!(error instanceof Problem) || error.code !== 'prediction-input') return error;
  const errors: FieldError[] = [];
  for (let index = 0; index < rowCount && errors.length < maximumErrors; index++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- until enough faults are found
      await row.predictOne(index);
    } catch (fault) {
      for (const { field, message } of asProblem(fault).errors ?? [])
        errors.push({ field, message: `${message} (${row.nameOf(index)})` });
    }
  }
  const first = errors[0];
  if (!first) return error;
  const others = errors.length - 1;
  const more =
    others === 0 ? '' : ` There ${others === 1 ? 'is 1 more error' : `are ${others} more errors`}.`;
  return new Problem('prediction-input', `The field "${first.field}" ${first.message}.${more}`, {
    errors: errors.slice(0, maximumErrors),
    cause: error,
  });
}

function givesWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
