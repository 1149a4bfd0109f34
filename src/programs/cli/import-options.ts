// The options that say how a file is read, the same wherever a file is taken. All may be left out: what they say is
// detected.
import type { Command } from 'commander';
import type { ImportOptions } from '../../contract/dataset.ts';
import { UsageError } from './failure.ts';
import { choice, collect, collectPair } from './values.ts';

const columnTypes = ['integer', 'number', 'boolean', 'date', 'datetime', 'text'] as const;
type ColumnType = (typeof columnTypes)[number];

/** What the options are read as. */
export interface ImportFlags {
  format?: NonNullable<ImportOptions['format']>;
  delimiter?: string;
  encoding?: NonNullable<ImportOptions['encoding']>;
  header: boolean;
  decimal?: '.' | ',';
  dateFormat?: string;
  null?: string[];
  ragged?: NonNullable<ImportOptions['raggedRows']>;
  type?: Record<string, string>;
}

/** Import options of which each is given or absent. */
export type GivenImportOptions = { [Name in keyof ImportOptions]: Exclude<ImportOptions[Name], undefined> };

/** Declares the options. */
export function addImportOptions(command: Command): Command {
  const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252', 'iso-8859-1'];
  return command
    .addOption(
      choice('--format <format>', 'csv covers every delimited text', ['csv', 'json-lines', 'parquet']),
    )
    .option('--delimiter <text>', 'what separates fields; "\\t" is a tab')
    .addOption(choice('--encoding <name>', 'the encoding of the text', encodings))
    .option('--no-header', 'the first line holds values, not names')
    .addOption(choice('--decimal <mark>', 'the decimal mark', ['.', ',']))
    .option('--date-format <format>', 'how dates are written, such as %d.%m.%Y')
    .option('--null <text>', 'a text that means "missing"; may be given several times', collect)
    .addOption(choice('--ragged <rule>', 'rows with too few or too many fields', ['refuse', 'fill', 'skip']))
    .option(
      '--type <column=type>',
      `the type of a column (${columnTypes.join(', ')}); may be given several times`,
      collectPair,
    );
}

/** The import options that the flags say; only what was given. */
export function importOptionsOf(flags: ImportFlags): GivenImportOptions {
  const columns = Object.entries(flags.type ?? {}).map(
    ([name, type]) => [name, { type: columnTypeOf(type) }] as const,
  );
  return {
    ...(flags.format !== undefined && { format: flags.format }),
    ...(flags.delimiter !== undefined && { delimiter: flags.delimiter.replaceAll('\\t', '\t') }),
    ...(flags.encoding !== undefined && { encoding: flags.encoding }),
    ...(!flags.header && { hasHeader: false }),
    ...(flags.decimal !== undefined && { decimalSeparator: flags.decimal }),
    ...(flags.dateFormat !== undefined && { dateFormat: flags.dateFormat }),
    ...(flags.null !== undefined && { nullValues: flags.null }),
    ...(flags.ragged !== undefined && { raggedRows: flags.ragged }),
    ...(columns.length > 0 && { columns: Object.fromEntries(columns) }),
  };
}

function columnTypeOf(text: string): ColumnType {
  const type = columnTypes.find((candidate) => candidate === text);
  if (type) return type;
  throw new UsageError(`"${text}" is no type of a column; it is one of ${columnTypes.join(', ')}`);
}
