// What the engine says, as problems that people understand: never its own words, which hold paths and advice about
// options that nobody can set here.
import { Problem } from '../../../base/problems.ts';
import { DataEngineError } from '../../../platform/ports/data-engine.ts';
import { misfitMark } from './conversions.ts';

/** Failures that the import can do something about. */
export type Failure =
  /** A value does not fit the reading of its column. */
  | 'misfit'
  /** A row has the wrong number of fields. */
  | 'ragged'
  /** Bytes are not UTF-8. */
  | 'encoding'
  /** The parser lost track, by quotes or by line ends of different kinds. */
  | 'structure'
  /** A row is longer than rows may be. */
  | 'too-long';

/** Which of the failures it is, if it is one of them. */
export function failureOf(error: unknown): Failure | undefined {
  if (!(error instanceof DataEngineError) || error.kind !== 'input') return undefined;
  const { message } = error;
  if (message.includes(misfitMark)) return 'misfit';
  if (message.includes('Expected Number of Columns')) return 'ragged';
  if (/Invalid unicode|not utf-8 encoded|Invalid UTF-8|byte sequence mismatch/i.test(message))
    return 'encoding';
  if (/invalid state|unterminated quote/.test(message)) return 'structure';
  if (/Maximum line size|maximum_object_size|exceeds? the maximum/i.test(message)) return 'too-long';
  return undefined;
}

/** The line that the engine's message names. */
export function lineOf(error: unknown): number | undefined {
  const match = /CSV Error on Line: (\d+)|in line (\d+)|at line (\d+)/i.exec((error as Error).message);
  const line = match?.[1] ?? match?.[2] ?? match?.[3];
  return line === undefined ? undefined : Number(line);
}

/** Any failure of the engine while it read a source, as a problem; what is no engine error stays as it is. */
export function asImportProblem(error: unknown, format: 'csv' | 'json-lines' | 'parquet'): unknown {
  if (!(error instanceof DataEngineError)) return error;
  const options = { cause: error };
  switch (error.kind) {
    case 'disk-full':
      return new Problem('disk-full', 'There is too little space on the disk to import the file.', options);
    case 'memory':
      return new Problem('memory-limit', 'The file needs more memory than an import may use.', options);
    case 'interrupted':
      return new Problem('cancelled', 'The import was stopped.', options);
    case 'forbidden':
      return error;
    case 'input':
      return new Problem('file-unreadable', describe(error, format), options);
    default:
      return error.kind satisfies never;
  }
}

function describe(error: DataEngineError, format: 'csv' | 'json-lines' | 'parquet'): string {
  const line = lineOf(error);
  const where = line === undefined ? '' : ` at line ${line}`;
  if (format === 'csv') {
    if (error.message.includes('unterminated quote'))
      return `A quote is not closed, or text follows a closing quote${where}.`;
    return `The file cannot be parsed as CSV${where}.`;
  }
  if (format === 'json-lines') return `The file is not valid JSON${where}.`;
  return `The file is not readable as Parquet: ${parquetReason(error.message)}.`;
}

function parquetReason(message: string): string {
  if (/read enough bytes|out of range|beyond|past the end|file is too small/i.test(message))
    return 'its footer names data that the file does not have';
  if (/footer|TProtocol|thrift|what type|magic/i.test(message)) return 'its footer is damaged';
  if (/encrypt/i.test(message)) return 'it is encrypted';
  return 'its data does not match what its footer says';
}
