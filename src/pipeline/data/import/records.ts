// Splits delimited text into records (RFC 4180, with the delimiter, quote and escape given). For samples only: whole
// files are parsed by the data engine.

export interface Dialect {
  /** One to four characters. */
  delimiter: string;
  /** One character, or empty where fields are never quoted. */
  quote: string;
  /** Stands before a quote inside a quoted field: the quote itself, or a backslash. */
  escape: string;
}

export interface Records {
  records: string[][];
  /** Records with a quote that is never closed, or with text after a closing quote. */
  malformedCount: number;
  /** Where the last whole record ends. */
  end: number;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * The records of `text`; blank lines are left out.
 * @param isWhole whether the text ends where the file ends; otherwise the last record, which may be cut, is left out
 */
export function splitRecords(
  text: string,
  dialect: Dialect,
  isWhole: boolean,
  maxRecords = Infinity,
): Records {
  const found: Records = { records: [], malformedCount: 0, end: 0 };
  let position = 0;
  while (position < text.length && found.records.length < maxRecords) {
    const record = readRecord(text, position, dialect);
    const isCut = record.end >= text.length && !isWhole && !record.endsLine;
    if (!isCut) {
      const isBlank = record.fields.length === 1 && record.fields[0] === '' && !record.hasQuotes;
      if (!isBlank) found.records.push(record.fields);
      if (record.isMalformed) found.malformedCount++;
      found.end = Math.min(record.end, text.length);
    }
    position = record.end;
  }
  return found;
}

interface RecordRead {
  fields: string[];
  /** Where the next record begins. */
  end: number;
  endsLine: boolean;
  hasQuotes: boolean;
  isMalformed: boolean;
}

function readRecord(text: string, start: number, dialect: Dialect): RecordRead {
  const { delimiter, quote } = dialect;
  const record: RecordRead = {
    fields: [],
    end: start,
    endsLine: false,
    hasQuotes: false,
    isMalformed: false,
  };
  let position = start;
  for (;;) {
    if (quote !== '' && text[position] === quote) {
      record.hasQuotes = true;
      const field = readQuoted(text, position + 1, dialect);
      record.fields.push(field.value);
      position = field.end;
      const next = fieldEnd(text, position, delimiter);
      if (!field.isClosed || next > position) record.isMalformed = true;
      position = next;
    } else {
      const next = fieldEnd(text, position, delimiter);
      record.fields.push(text.slice(position, next));
      position = next;
    }
    if (position < text.length && text.startsWith(delimiter, position)) {
      position += delimiter.length;
      continue;
    }
    record.endsLine = position < text.length;
    record.end = text.startsWith('\r\n', position) ? position + 2 : position + 1;
    return record;
  }
}

function readQuoted(
  text: string,
  start: number,
  { quote, escape }: Dialect,
): { value: string; end: number; isClosed: boolean } {
  let value = '';
  let position = start;
  for (;;) {
    const close = text.indexOf(quote, position);
    if (close < 0) return { value: value + text.slice(position), end: text.length, isClosed: false };
    if (escape === quote) {
      if (text[close + 1] !== quote)
        return { value: value + text.slice(position, close), end: close + 1, isClosed: true };
      value += text.slice(position, close + 1);
      position = close + 2;
    } else if (isEscaped(text, close, position, escape)) {
      value += text.slice(position, close - 1) + quote;
      position = close + 1;
    } else {
      return { value: value + text.slice(position, close), end: close + 1, isClosed: true };
    }
  }
}

/** Whether an odd number of escapes stands before `index`. */
function isEscaped(text: string, index: number, from: number, escape: string): boolean {
  let count = 0;
  while (index - 1 - count >= from && text[index - 1 - count] === escape) count++;
  return count % 2 === 1;
}

function fieldEnd(text: string, start: number, delimiter: string): number {
  const delimiterCode = delimiter.charCodeAt(0);
  for (let position = start; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === lineFeed || code === carriageReturn) return position;
    if (code === delimiterCode && (delimiter.length === 1 || text.startsWith(delimiter, position)))
      return position;
  }
  return text.length;
}
