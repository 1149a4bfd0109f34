// CSV in and out as streams (RFC 4180, UTF-8). Reading goes by blocks of raw text fields, so that memory is bounded and
// the reader waits while a block is worked on; the parser is csv-parse. What cannot be read is a problem that names the
// line. Writing: the table of predictions, a line for each row.
//
// Not an importer: nothing is guessed but the delimiter, which the header shows.
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { Problem } from '../../base/problems.ts';
import type { PredictedColumns } from '../../ml/model/predictor.ts';

/** Some rows of a CSV file. */
export interface CsvBlock {
  /** Raw fields by the column names of the header; all equally long. */
  columns: Record<string, string[]>;
  rowCount: number;
  /** Number of the line on which a row ends, 1 for the header. */
  lines: number[];
}

export interface CsvLimits {
  maxColumns: number;
  /** Of one line; a longer one ends the reading. */
  maxLineBytes: number;
  /** Rows of one block. */
  blockRows: number;
  /** The file has no header: its first line is a row, and columns are called 1, 2, ... */
  headless?: true;
}

/**
 * The rows of a CSV file with a header, block by block; a header alone gives no block. A byte order mark, any line
 * ends and comma, semicolon, tab or bar as the delimiter are understood; empty lines are skipped where there is more
 * than one column.
 * @throws Problem `file-empty`, `file-unreadable`, `field-too-large`, `too-many-columns`, or `prediction-input` for a
 * line with too few or too many fields
 */
export async function* readCsvBlocks(
  source: AsyncIterable<Uint8Array>,
  limits: CsvLimits,
): AsyncGenerator<CsvBlock> {
  const { head, all } = await peek(checkedUtf8(source, limits.maxLineBytes), limits.maxLineBytes);
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(head),
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    max_record_size: limits.maxLineBytes,
    // The number of the line travels as a last field: a record can only be text.
    on_record: (fields, { lines }) => [...fields, String(lines)],
  });
  const input = Readable.from(all, { objectMode: false });
  const records: AsyncIterable<string[]> = input.on('error', (error) => parser.destroy(error)).pipe(parser);
  let header: string[] | undefined;
  let block: CsvBlock | undefined;
  try {
    for await (const fields of records) {
      const number = Number(fields.pop());
      if (isBlank(fields, header)) continue;
      if (!header) {
        const names = limits.headless ? fields.map((_, index) => String(index + 1)) : fields;
        header = checkedHeader(names, limits.maxColumns);
        if (!limits.headless) continue;
      }
      block ??= emptyBlock(header);
      addRow(block, header, { fields, number });
      if (block.rowCount < limits.blockRows) continue;
      yield block;
      block = undefined;
    }
  } catch (error) {
    throw asCsvProblem(error, limits);
  } finally {
    input.destroy();
    parser.destroy();
  }
  if (!header) throw new Problem('file-empty', 'The file is empty; it needs a header and at least one row.');
  if (block) yield block;
}

/** The first line of a table of predictions: `prediction`, then `probability_<class>` each, or `lower,upper`. */
export function predictionsHeader({ probabilities }: PredictedColumns): string {
  const others = probabilities
    ? Object.keys(probabilities).map((name) => `probability_${name}`)
    : ['lower', 'upper'];
  return `${['prediction', ...others].map(field).join(',')}\n`;
}

/** The lines of some rows, in their order; numbers in their shortest form that reads back as the same number. */
export function predictionsLines({ prediction, probabilities, lower, upper }: PredictedColumns): string {
  const others = probabilities ? Object.values(probabilities) : [lower, upper];
  let text = '';
  for (let row = 0; row < prediction.length; row++) {
    text += field(prediction[row]);
    for (const values of others) text += `,${field(values?.[row])}`;
    text += '\n';
  }
  return text;
}

const lineFeed = 10;

interface Line {
  fields: string[];
  number: number;
}

function emptyBlock(header: readonly string[]): CsvBlock {
  return { columns: Object.fromEntries(header.map((name) => [name, []])), rowCount: 0, lines: [] };
}

function addRow(block: CsvBlock, header: readonly string[], { fields, number }: Line): void {
  if (fields.length !== header.length) {
    const message = `has ${counted(fields.length, 'field')}, the header has ${header.length}`;
    throw new Problem('prediction-input', `Line ${number} ${message}.`, {
      errors: [{ field: `line ${number}`, message }],
    });
  }
  for (let column = 0; column < header.length; column++)
    block.columns[header[column]!]!.push(fields[column]!);
  block.lines.push(number);
  block.rowCount++;
}

/** An empty line; in a file of one column it is a row whose value is missing. */
function isBlank(fields: readonly string[], header: readonly string[] | undefined): boolean {
  return fields.length === 1 && fields[0] === '' && header?.length !== 1;
}

function checkedHeader(names: string[], maxColumns: number): string[] {
  if (names.length > maxColumns) {
    const message = `The file has ${names.length} columns; at most ${maxColumns} are taken.`;
    throw new Problem('too-many-columns', message);
  }
  const seen = new Set<string>();
  names.forEach((name, index) => {
    const fault = name === '' ? 'has no name' : seen.has(name) ? 'has the name of another one' : undefined;
    if (fault) {
      throw new Problem('prediction-input', `Column ${index + 1} of the header ${fault}.`, {
        errors: [{ field: name || `column ${index + 1}`, message: fault }],
      });
    }
    seen.add(name);
  });
  return names;
}

/** The delimiter that the header has most of, outside quotes; a comma among equals. */
function delimiterOf(head: Uint8Array): string {
  const bare = new TextDecoder().decode(head).replaceAll(/"[^"]*"/g, '');
  const line = bare.replace(/^[\r\n]+/, '').split(/[\r\n]/, 1)[0]!;
  const counts = [',', ';', '\t', '|'].map((delimiter) => ({
    delimiter,
    count: line.split(delimiter).length,
  }));
  return counts.reduce((best, other) => (other.count > best.count ? other : best)).delimiter;
}

/** The bytes up to the end of the first line that is not empty, and an iteration over everything, those included. */
async function peek(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  let isDone = false;
  while (!isDone && head.length <= maxBytes && !/[^\r\n\ufeff][\r\n]/.test(new TextDecoder().decode(head))) {
    // oxlint-disable-next-line no-await-in-loop -- chunks come one after the other
    const step = await iterator.next();
    if (step.done) isDone = true;
    else head = Buffer.concat([head, step.value]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      if (isDone) return;
      // oxlint-disable-next-line no-await-in-loop -- chunks come one after the other
      for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head, all: all() };
}

/** Passes the chunks on; throws when a line of them is not UTF-8 text, naming it. */
async function* checkedUtf8(
  source: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<Uint8Array> {
  /** The line that goes on in the next chunk; a line can be checked when it is whole. */
  let open: Uint8Array[] = [];
  let openBytes = 0;
  let lineCount = 0;
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(lineFeed) + 1;
    if (end > 0) {
      lineCount += checkLines(Buffer.concat([...open, chunk.subarray(0, end)]), lineCount);
      open = [];
      openBytes = 0;
    }
    open.push(chunk.subarray(end));
    openBytes += chunk.length - end;
    if (openBytes > maxLineBytes) throw lineTooLong(lineCount + 1, maxLineBytes);
    yield chunk;
  }
  checkLines(Buffer.concat(open), lineCount);
}

/** Throws for the first line that is not UTF-8; returns how many line feeds there are. */
function checkLines(bytes: Uint8Array, linesBefore: number): number {
  const isValid = isUtf8(bytes);
  let count = 0;
  for (let start = 0, end = bytes.indexOf(lineFeed); !isValid || end !== -1; count++) {
    const line = bytes.subarray(start, end === -1 ? bytes.length : end);
    if (!isValid && !isUtf8(line)) {
      throw new Problem(
        'file-unreadable',
        `Line ${linesBefore + count + 1} holds bytes that are not UTF-8 text. Save the file as UTF-8 and send it again.`,
      );
    }
    start = end + 1;
    end = bytes.indexOf(lineFeed, start);
  }
  return count;
}

function lineTooLong(line: number, maxLineBytes: number, cause?: unknown): Problem {
  return new Problem('field-too-large', `Line ${line} is longer than ${maxLineBytes} bytes.`, { cause });
}

function asCsvProblem(error: unknown, { maxLineBytes }: CsvLimits): unknown {
  if (!(error instanceof CsvError)) return error;
  const line = Number(error['lines'] ?? 1);
  switch (error.code) {
    case 'CSV_MAX_RECORD_SIZE':
      return lineTooLong(line, maxLineBytes, error);
    case 'CSV_QUOTE_NOT_CLOSED':
      return new Problem(
        'file-unreadable',
        `A quote is opened and not closed before the file ends, on line ${line}.`,
        { cause: error },
      );
    default:
      return new Problem(
        'file-unreadable',
        `Line ${line} has a quote where none can be: quote the whole field, and double the quotes inside.`,
        { cause: error },
      );
  }
}

/** One field; quoted where it must be. */
function field(value: string | number | undefined): string {
  if (typeof value === 'number') return value === value ? String(value) : '';
  if (value === undefined) return '';
  return /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
