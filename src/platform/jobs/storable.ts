// What tasks say, as the database can store it: Postgres refuses U+0000 and half surrogate pairs in text and JSON
// (https://www.postgresql.org/docs/current/datatype-json.html), and names of columns and classes may hold either.
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { Problem } from '../../base/problems.ts';

/** `text` without what cannot be stored. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

/** `data` without what cannot be stored in its strings and names. */
export function storableData(data: JsonObject): JsonObject {
  return /\\u(?:0000|d[89a-f])/i.test(JSON.stringify(data)) ? (clean(data) as JsonObject) : data;
}

/** The same problem, with words that can be stored. */
export function storableProblem(problem: Problem): Problem {
  const { code, message, errors, cause, retryAfterSeconds } = problem;
  return new Problem(code, storableText(message), {
    cause,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    ...(errors && {
      errors: errors.map((error) => ({
        field: storableText(error.field),
        message: storableText(error.message),
      })),
    }),
  });
}

function clean(value: JsonValue): JsonValue {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(clean);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [storableText(name), clean(member)]),
  );
}
