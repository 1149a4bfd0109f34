// How a delimited text is written: delimiter, quote, escape. Each likely combination is tried on the head of the file;
// the one by which the most records have the same number of fields wins (after van den Burg et al., "Wrangling messy
// CSV files by detecting row and type patterns", 2019, of which this keeps the row pattern).
// The engine's own sniffer is not used: it skips lines that do not fit, and we never lose a line silently.
import type { ImportOptions } from '../../../contract/dataset.ts';
import { splitRecords, type Dialect } from './records.ts';

/** In order of preference among equals: a comma may be a decimal separator in files with any of the others. */
const delimiters = ['\t', ';', '|', ','];
const quotings = [
  { quote: '"', escape: '"' },
  { quote: '"', escape: '\\' },
  { quote: "'", escape: "'" },
  { quote: '', escape: '' },
];
const sampleCharacters = 262_144;
const sampleRecords = 1000;

/** The dialect of the text that begins with `head`, with what `options` say left as it is. */
export function detectDialect(head: string, isWhole: boolean, options: ImportOptions): Dialect {
  const sample = head.slice(0, sampleCharacters);
  const isWholeSample = isWhole && sample.length === head.length;
  let best: { dialect: Dialect; score: number } | undefined;
  for (const quoting of quotingsFor(sample, options)) {
    for (const delimiter of options.delimiter === undefined ? delimiters : [options.delimiter]) {
      const dialect = { delimiter, ...quoting };
      const score = scoreOf(sample, dialect, isWholeSample);
      if (best === undefined || score > best.score) best = { dialect, score };
    }
  }
  const { dialect, score } = best!;
  const found = score > 0 || options.delimiter !== undefined ? dialect : { ...dialect, delimiter: ',' };
  return options.quote === undefined && usesSingleQuotes(sample, found, isWholeSample)
    ? { ...found, quote: "'", escape: "'" }
    : found;
}

function quotingsFor(sample: string, { quote, escape }: ImportOptions): Pick<Dialect, 'quote' | 'escape'>[] {
  if (quote !== undefined) return [{ quote, escape: escape ?? quote }];
  if (escape !== undefined) return [{ quote: '"', escape }];
  return quotings.filter((quoting) => quoting.quote !== "'" || sample.includes("'"));
}

/** 0 for a text of one column; above, the share of records that have as many fields as most, the first one counting. */
function scoreOf(sample: string, dialect: Dialect, isWhole: boolean): number {
  const { records, malformedCount } = splitRecords(sample, dialect, isWhole, sampleRecords);
  const counts = new Map<number, number>();
  for (const { length } of records) counts.set(length, (counts.get(length) ?? 0) + 1);
  let usual = 1;
  for (const [length, count] of counts) if (count > (counts.get(usual) ?? 0)) usual = length;
  if (usual === 1) return -malformedCount / (records.length + 1);
  const share = counts.get(usual)! / records.length;
  const firstBonus = records[0]!.length === usual ? 1 : 0;
  // Rounded, so that one odd record among many does not outweigh the order of preference.
  return Math.round((share + firstBonus) * 50) / 50 - malformedCount / records.length;
}

/** Whether in some column nearly every value is wrapped in single quotes. */
function usesSingleQuotes(sample: string, dialect: Dialect, isWhole: boolean): boolean {
  if (!sample.includes("'")) return false;
  const { records } = splitRecords(sample, dialect, isWhole, sampleRecords);
  const body = records.slice(1);
  const width = records[0]?.length ?? 0;
  for (let column = 0; column < width; column++) {
    const values = body.map((record) => record[column] ?? '').filter((value) => value !== '');
    const wrapped = values.filter(
      (value) => value.length >= 2 && value.startsWith("'") && value.endsWith("'"),
    );
    if (values.length >= 2 && wrapped.length >= values.length * 0.9) return true;
  }
  return false;
}
