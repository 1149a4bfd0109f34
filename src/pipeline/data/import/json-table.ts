// JSON as a relation of texts: one object a line, or one array of objects. Each key is a column; values that are
// objects or lists stay JSON text; strings lose their quotes, so that they are read like the fields of a CSV.
import { Problem } from '../../../base/problems.ts';
import { identifier, joined, sql, type DataEngine, type Sql } from '../../../platform/ports/data-engine.ts';
import { listed } from './column-names.ts';
import { positional } from './conversions.ts';
import type { ImportLimits } from './source-limits.ts';

export interface JsonFile {
  path: string;
  /** `array`: the whole file is one JSON array. */
  form: 'newline_delimited' | 'array';
  keys: readonly string[];
}

/** Looks at every object for its keys. @throws Problem `file-unreadable` when these cannot be columns */
export async function readJsonKeys(
  engine: DataEngine,
  file: Omit<JsonFile, 'keys'>,
  limits: ImportLimits,
): Promise<string[]> {
  const described = await engine.rows(
    sql`DESCRIBE SELECT * FROM read_json(${file.path}, format = ${file.form}, records = true,
      sample_size = -1, maximum_depth = 1, map_inference_threshold = -1, maximum_object_size = ${objectBytes(limits)})`,
  );
  const keys = described.map(([name]) => String(name));
  if (keys.some((key) => isRenamed(key, keys))) await refuseAlike(engine, file, limits);
  return keys;
}

/** The relation of the file's objects. */
export function jsonRelation(file: JsonFile, nullValues: readonly string[], limits: ImportLimits): Sql {
  const types = joined(file.keys.map((key) => sql`${key}: 'VARCHAR'`));
  const nulls = joined(['', ...nullValues].map((word) => sql`${word}`));
  const columns = file.keys.map((key, index) => {
    const value = identifier(key);
    return sql`CASE WHEN ${value} IN (${nulls}) THEN NULL ELSE ${value} END AS ${positional(index)}`;
  });
  return sql`(SELECT ${joined(columns)} FROM read_json(${file.path}, format = ${file.form}, records = true,
    columns = {${types}}, maximum_object_size = ${objectBytes(limits)}))`;
}

/** The engine gives keys that differ by case only a number: a, A_1. Such a name may also be a key of the file. */
function isRenamed(key: string, keys: readonly string[]): boolean {
  const base = /^(.*)_\d+$/s.exec(key)?.[1]?.toLowerCase();
  return base !== undefined && keys.some((other) => other.toLowerCase() === base);
}

async function refuseAlike(
  engine: DataEngine,
  { path, form }: Omit<JsonFile, 'keys'>,
  limits: ImportLimits,
): Promise<void> {
  const rows = await engine.rows(
    sql`SELECT DISTINCT unnest(json_keys(json)) AS key FROM read_json_objects(${path}, format = ${form},
      maximum_object_size = ${objectBytes(limits)})`,
  );
  const keys = rows.map(([key]) => String(key)).sort();
  const alike = keys.filter((key, index) =>
    keys.some((other, at) => at !== index && other.toLowerCase() === key.toLowerCase()),
  );
  if (alike.length === 0) return;
  throw new Problem(
    'file-unreadable',
    `Keys that differ only by upper and lower case cannot be columns side by side: ${listed(alike)}.`,
  );
}

function objectBytes(limits: ImportLimits): number {
  return limits.maxFieldBytes + 1_048_576;
}
