// The answers by columns of doubles and codes have the bits of the answers for the same rows of JSON.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readValue, RefusedValue } from '../frame/values.ts';
import { columnPredictorOf, type ReadColumn, type ReadValues } from './column-predictor.ts';
import { readModel } from './model.ts';
import { predictorOf } from './predictor.ts';
import { goldenModels } from './testing/golden.ts';

type Row = Readonly<Record<string, unknown>>;

for (const { name, format, file, rows } of goldenModels())
  test(`answers of ${name} (format ${format}) by columns have equal bits`, async () => {
    const content = await readModel(file);
    const { columns, predict, numberCount } = columnPredictorOf(content);
    // Enough rows for the walk in WebAssembly, and one that misses everything.
    const many: Row[] = [...Array.from({ length: 40 }, () => rows).flat(), {}];
    const values = new Map(columns.map((column) => [column.name, valuesOf(column, many)]));
    const answers = predict(values, many.length);
    const expected = predictorOf(content).predictRows(many).predictions;
    const { classes } = content.manifest;
    const found = many.map((_, row) => ({
      prediction: classes.length > 0 ? classes[answers.prediction[row]!] : answers.prediction[row],
      ...(classes.length > 0 && {
        probabilities: Object.fromEntries(
          classes.map((each, index) => [each, answers.probabilities[index]![row]]),
        ),
      }),
      ...(answers.interval && { lower: answers.interval.lower[row], upper: answers.interval.upper[row] }),
    }));
    assert.deepEqual(
      found,
      expected.map(({ likelyClasses: _sets, ...answer }) => answer),
    );
    assert.equal(numberCount, 1 + answers.probabilities.length + (answers.interval ? 2 : 0));
    assert.deepEqual(answers.unanswered, []);
  });

test('columns that are left out are missing in every row; no rows have no answers', async () => {
  const [{ file }] = goldenModels() as [ReturnType<typeof goldenModels>[number]];
  const content = await readModel(file);
  const { predict } = columnPredictorOf(content);
  const { prediction, probabilities } = predict(new Map(), 3);
  const expected = predictorOf(content).predictRows([{}]).predictions[0]!.prediction;
  const { classes } = content.manifest;
  for (const answer of prediction) assert.equal(classes.length > 0 ? classes[answer] : answer, expected);
  assert.ok(probabilities.every((column) => column.length === 3));
  assert.equal(predict(new Map(), 0).prediction.length, 0);
});

function valuesOf({ name, kind, categories }: ReadColumn, rows: readonly Row[]): ReadValues {
  const read = rows.map((row) => {
    const value = readValue(row[name], kind, 'json');
    assert.ok(!(value instanceof RefusedValue));
    return value;
  });
  if (kind === 'text') return read as (string | null)[];
  if (!categories) return Float64Array.from(read as number[]);
  return Float64Array.from(read as (string | null)[], (text) => {
    if (text === null) return NaN;
    const code = categories.indexOf(text);
    return code < 0 ? categories.length : code;
  });
}
