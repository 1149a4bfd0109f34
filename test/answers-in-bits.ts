// What a model file answers, every number by the 16 hexadecimal digits of its bits: equal texts are equal answers. It
// runs in Node and, bundled, in a page.
import { openModel } from '../src/ml/model/model.ts';

/** The answers for `rows`, by rows and by columns (which walks through trees in WebAssembly), as one text. */
export async function answersInBits(
  file: Uint8Array,
  rows: readonly Record<string, unknown>[],
): Promise<string> {
  const { manifest, predictRows, predictColumns } = await openModel(file);
  const columns = Object.fromEntries(
    manifest.schema.map(({ name }) => [name, rows.map((row) => row[name] ?? null)]),
  );
  const single = rows.map((row) => predictRows([row]));
  return JSON.stringify({ rows: predictRows(rows), single, columns: predictColumns(columns) }, inBits);
}

function inBits(_key: string, value: unknown): unknown {
  if (value instanceof Float64Array) return Array.from(value);
  if (typeof value !== 'number') return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}
