// Writes the golden files of the present format of model files: one small model of each learner, what it was asked, and
// what it answered, in bits. Run once when a format is new, or something more can be in a file; from then on the files stay
// as they are, for ever, and src/ml/model/golden.test.ts holds every later reader to them. Files that are there are left.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { formatVersion } from '../src/ml/model/header.ts';
import { writeModel } from '../src/ml/model/model.ts';
import { answersInBits } from '../src/ml/model/testing/answers-in-bits.ts';
import { goldenFolder, type GoldenModel } from '../src/ml/model/testing/golden.ts';
import { oddRows } from '../src/ml/model/testing/rows.ts';
import { sampleModels } from '../src/ml/model/testing/samples.ts';

const kept = [
  'ensemble-regression',
  'baseline-binary',
  'linear-regression',
  'boosted-trees-multiclass',
  'categorical-boosting-binary',
  'random-forest-regression',
  'extra-trees-multiclass',
  'naive-bayes-multiclass',
  'neighbours-regression',
  'network-binary',
  // With background rows, which files could not hold at first.
  'ensemble-binary',
];
const rowsOfEach = 6;

const folder = join(goldenFolder, `format-${formatVersion}`);
mkdirSync(folder, { recursive: true });
for (const { name, model } of await sampleModels(['binary', 'multiclass', 'regression'])) {
  if (!kept.includes(name) || existsSync(join(folder, `${name}.json`))) continue;
  const rows = [...model.goldenRows.slice(0, rowsOfEach), ...oddRows];
  const file = await writeModel(model);
  const golden: GoldenModel = { rows, answers: await answersInBits(file, rows) };
  writeFileSync(join(folder, `${name}.pilvi.gz`), gzipSync(file, { level: 9 }));
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(golden)}\n`);
}
