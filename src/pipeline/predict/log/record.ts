// One record of the log as the line of a segment: JSON with short names. What the caller gave and what was answered are
// JSON inside JSON, so that they come back to the character, whatever reads the line.
import type { LoggedField } from './layout.ts';

/** What the records of one segment have in common: its first line. */
export interface LogStream {
  workspaceId: string;
  projectId: string;
  endpointId: string;
  deploymentId: string;
  /** Left out by streams that answer. Of a shadow the answers are kept apart: nobody got them. */
  role?: 'live' | 'shadow';
  revision: number;
  modelVersionId: string;
  modelFileSha256: string;
  fields: readonly LoggedField[];
}

/** One answered row. */
export interface LogRecord {
  requestId: string;
  rowIndex: number;
  timeMs: number;
  latencyMs: number;
  askedBy: string;
  form: 'json' | 'text';
  given: Readonly<Record<string, unknown>>;
  answer: object;
}

/** A record longer than this is not kept. */
export const maxLineBytes = 1_048_576;

/** The first line of a segment. */
export function headerLine(stream: LogStream): string {
  const fields = stream.fields.map(({ name, kind }) => ({ name, kind }));
  return `${JSON.stringify({ segment: { ...stream, fields } })}\n`;
}

/** What the first line of a segment says; undefined when it is none. */
export function readHeader(line: string): LogStream | undefined {
  try {
    return (JSON.parse(line) as { segment?: LogStream }).segment;
  } catch {
    return undefined;
  }
}

/**
 * The line of a record, without the values of `redacted` fields. Undefined for what cannot be written: too long, or too
 * deep for JSON.
 */
export function recordLine(record: LogRecord, redacted: ReadonlySet<string>): string | undefined {
  const { requestId, rowIndex, timeMs, latencyMs, askedBy, form, given, answer } = record;
  const hidden = redacted.size === 0 ? [] : Object.keys(given).filter((name) => redacted.has(name));
  const kept = hidden.length === 0 ? given : without(given, redacted);
  const fields = asJson(kept);
  if (fields === undefined) return undefined;
  const line = `${JSON.stringify({
    i: requestId,
    r: rowIndex,
    t: timeMs,
    m: Math.round(latencyMs * 1000) / 1000,
    k: askedBy,
    c: form,
    ...(hidden.length > 0 && { x: hidden }),
    f: fields,
    a: JSON.stringify(answer),
  })}\n`;
  // A character takes three bytes at most; only long lines are counted exactly.
  return line.length * 3 <= maxLineBytes || Buffer.byteLength(line) <= maxLineBytes ? line : undefined;
}

function without(
  given: Readonly<Record<string, unknown>>,
  redacted: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !redacted.has(name)));
}

function asJson(given: object): string | undefined {
  try {
    return JSON.stringify(given);
  } catch {
    // Whole numbers beyond doubles from binary protocols, as their digits; or nesting too deep to be written at all.
    try {
      return JSON.stringify(given, (_, value: unknown) =>
        typeof value === 'bigint' ? rawJson(String(value)) : value,
      );
    } catch {
      return undefined;
    }
  }
}

/** In the language since ECMAScript 2025; the type library does not know it yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
