// The first rows of a CSV file that Pilvi itself wrote (RFC 4180), to show them.

/** Enough for a few rows of hundreds of columns. */
const headBytes = 256 * 1024;

/** Header and at most `rowLimit` rows. */
export async function firstRowsOf(
  file: Blob,
  rowLimit: number,
): Promise<{ columns: string[]; rows: string[][] }> {
  const records = recordsOf(await file.slice(0, headBytes).text(), rowLimit + 1);
  // The last record of a cut may be half of one.
  const whole = file.size > headBytes && records.length <= rowLimit ? records.slice(0, -1) : records;
  return { columns: whole[0] ?? [], rows: whole.slice(1) };
}

function recordsOf(text: string, limit: number): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (records.length < limit && field.lastIndex < text.length) {
    const match = field.exec(text);
    if (!match) break;
    const [, quoted, plain = '', end] = match;
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}
