// Values of DuckDB as cells of JSON: exact where a JSON number is exact, else text; times as RFC 3339 in UTC.
import type * as duckDbPackage from '@duckdb/node-api';
import type { DuckDBTimestampValue, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Cell } from '../ports/data-engine.ts';

/** The package, as it is once it has been loaded. */
export type DuckDb = typeof duckDbPackage;

const nestedTypes = new Set(['LIST', 'ARRAY', 'STRUCT', 'MAP', 'UNION', 'VARIANT']);
/** More significant digits than this are not all kept by a double. */
const exactDigits = 15;

/** A reader of the values of one column; lists, structures and maps become JSON text. */
export function cellReader(duckDb: DuckDb, type: DuckDBType): (value: DuckDBValue) => Cell {
  const { DuckDBDecimalValue, DuckDBTimestampTZValue, DuckDBTimestampValue, JsonDuckDBValueConverter } =
    duckDb;
  const isNested = nestedTypes.has(duckDb.DuckDBTypeId[type.typeId] ?? '');

  return (value) => {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
    if (typeof value === 'bigint') return wholeNumber(value);
    if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
      return rfc3339(value.micros) ?? value.toString();
    if (isNested) return JSON.stringify(JsonDuckDBValueConverter(value, type, JsonDuckDBValueConverter));
    if (value instanceof DuckDBDecimalValue) {
      const text = value.toString();
      return text.replace(/\D/g, '').length <= exactDigits ? Number(text) : text;
    }
    return value.toString();
  };
}

function wholeNumber(value: bigint): Cell {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** `2024-01-05T10:00:00Z`, with as many digits of the second as it has; undefined outside the years 0 to 9999. */
function rfc3339(micros: DuckDBTimestampValue['micros']): string | undefined {
  const microsPerMilli = 1000n;
  const millis = micros / microsPerMilli - (micros % microsPerMilli < 0n ? 1n : 0n);
  const date = new Date(Number(millis));
  if (!(date.getUTCFullYear() >= 0 && date.getUTCFullYear() <= 9999)) return undefined;
  const seconds = date.toISOString().slice(0, 19);
  const fraction = String(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}
