// The manifest out of a model file, every field checked. What is only shown to people is checked for its type, what is
// computed with for its meaning too.
import { columnKinds, tasks, type ColumnSchema, type Task } from '../frame/schema.ts';
import type { Calibration, CalibrationCurve } from './calibration.ts';
import { countAt, demand, listAt, numberAt, objectAt, textAt, wordAt, type Fields } from './checks.ts';
import type { DecisionCosts } from './costs.ts';
import type { IntervalTable } from './intervals.ts';
import type { ColumnConstraints, ModelManifest } from './manifest.ts';
import type { PredictionSets } from './sets.ts';
import { readEncoding } from './read-encoding.ts';

const maximumColumns = 20_000;
const maximumClasses = 10_000;
const maximumLevels = 255;

/** @throws Problem `model-file-invalid` naming the field */
export function readManifest(value: unknown): ModelManifest {
  const fields = objectAt(value, 'the manifest');
  const task = wordAt(fields['task'], 'task', tasks);
  const classes = readClasses(fields['classes'], task);
  const schema = listAt(fields['schema'], 'schema', maximumColumns, readColumn);
  const positiveClass =
    fields['positiveClass'] === undefined ? undefined : textAt(fields['positiveClass'], 'positiveClass');
  demand(positiveClass === undefined || classes.includes(positiveClass), 'positiveClass is not a class');
  const intervals = fields['intervals'] === undefined ? undefined : readIntervals(fields['intervals']);
  return {
    engineVersion: textAt(fields['engineVersion'], 'engineVersion'),
    task,
    target: textAt(fields['target'], 'target'),
    classes,
    ...(positiveClass !== undefined && { positiveClass }),
    schema,
    ignoredColumns: listAt(fields['ignoredColumns'], 'ignoredColumns', maximumColumns, (item, place) => {
      const column = objectAt(item, place);
      return { column: textAt(column['column'], place), reason: textAt(column['reason'], place) };
    }),
    encoding: readEncoding(fields['encoding'], schema),
    calibration: readCalibration(fields['calibration'], classes.length),
    decisionWeights: readDecisionWeights(fields['decisionWeights'], classes.length),
    ...(fields['costs'] !== undefined && { costs: readCosts(fields['costs'], classes.length) }),
    ...(intervals && { intervals }),
    ...(fields['sets'] !== undefined && { sets: readSets(fields['sets'], classes.length) }),
    ...readReport(fields),
  };
}

function readReport(
  fields: Fields,
): Pick<ModelManifest, 'quality' | 'importance' | 'constraints' | 'warnings' | 'training'> {
  const quality = objectAt(fields['quality'], 'quality');
  const training = objectAt(fields['training'], 'training');
  const holdout = Object.entries(objectAt(quality['holdout'], 'quality.holdout'));
  return {
    quality: {
      metric: textAt(quality['metric'], 'quality.metric'),
      crossValidationScore: numberAt(quality['crossValidationScore'], 'quality.crossValidationScore'),
      holdoutRowCount: countAt(quality['holdoutRowCount'], 'quality.holdoutRowCount'),
      holdout: Object.fromEntries(
        holdout.map(([name, score]) => [name, numberAt(score, `quality.holdout.${name}`)]),
      ),
    },
    importance: listAt(fields['importance'], 'importance', maximumColumns, (item, place) => {
      const entry = objectAt(item, place);
      return {
        column: textAt(entry['column'], place),
        importance: numberAt(entry['importance'], place),
        share: numberAt(entry['share'], place),
      };
    }),
    ...(fields['constraints'] !== undefined && { constraints: readConstraints(fields['constraints']) }),
    warnings: listAt(fields['warnings'], 'warnings', 1000, textAt),
    training: {
      rowCount: countAt(training['rowCount'], 'training.rowCount'),
      ...(training['finalRowCount'] !== undefined && {
        finalRowCount: countAt(training['finalRowCount'], 'training.finalRowCount'),
      }),
      foldCount: countAt(training['foldCount'], 'training.foldCount'),
      seed: numberAt(training['seed'], 'training.seed'),
      trialCount: countAt(training['trialCount'], 'training.trialCount'),
      ...(training['backgroundRowCount'] !== undefined && {
        backgroundRowCount: countAt(training['backgroundRowCount'], 'training.backgroundRowCount'),
      }),
    },
  };
}

/** They are shown to people; the trees keep to them by themselves. */
function readConstraints(value: unknown): ColumnConstraints {
  const fields = objectAt(value, 'constraints');
  const names = (item: unknown, place: string): string[] => listAt(item, place, maximumColumns, textAt);
  return {
    increasing: names(fields['increasing'], 'constraints.increasing'),
    decreasing: names(fields['decreasing'], 'constraints.decreasing'),
    ...(fields['interactionGroups'] !== undefined && {
      interactionGroups: listAt(
        fields['interactionGroups'],
        'constraints.interactionGroups',
        maximumColumns,
        names,
      ),
    }),
  };
}

function readClasses(value: unknown, task: Task): string[] {
  const classes = listAt(value, 'classes', maximumClasses, textAt);
  const fits =
    task === 'binary'
      ? classes.length === 2
      : task === 'multiclass'
        ? classes.length > 2
        : classes.length === 0;
  demand(fits && new Set(classes).size === classes.length, 'classes do not fit the task');
  return classes;
}

function readColumn(value: unknown, place: string): ColumnSchema {
  const fields = objectAt(value, place);
  const name = textAt(fields['name'], `${place}.name`);
  const kind = wordAt(fields['kind'], `${place}.kind`, columnKinds);
  if (fields['categories'] === undefined) return { name, kind };
  return {
    name,
    kind,
    categories: listAt(fields['categories'], `${place}.categories`, maximumLevels, textAt),
  };
}

function readCalibration(value: unknown, classCount: number): Calibration {
  const fields = objectAt(value, 'calibration');
  const kind = wordAt(fields['kind'], 'calibration.kind', ['none', 'scaling', 'isotonic'] as const);
  if (kind === 'none') return { kind };
  if (kind === 'isotonic') {
    const curves = listAt(fields['curves'], 'calibration.curves', maximumClasses, readCurve);
    demand(
      curves.length === (classCount === 2 ? 1 : classCount),
      'calibration.curves do not fit the classes',
    );
    return { kind, curves };
  }
  const offsets = listAt(fields['offsets'], 'calibration.offsets', maximumClasses, numberAt);
  demand(offsets.length === classCount, 'calibration.offsets do not fit the classes');
  return { kind, slope: numberAt(fields['slope'], 'calibration.slope'), offsets };
}

/** Knots that rise, from 0 to 1, with chances above 0: sums of them can be divided by. */
function readCurve(value: unknown, place: string): CalibrationCurve {
  const fields = objectAt(value, place);
  const said = listAt(fields['said'], `${place}.said`, 1000, numberAt);
  const cameTrue = listAt(fields['cameTrue'], `${place}.cameTrue`, 1000, numberAt);
  const rises = (values: readonly number[], isStrict: boolean): boolean =>
    values.every(
      (one, index) => index === 0 || one > values[index - 1]! || (!isStrict && one === values[index - 1]!),
    );
  demand(
    said.length > 1 &&
      said.length === cameTrue.length &&
      rises(said, true) &&
      rises(cameTrue, false) &&
      cameTrue[0]! > 0 &&
      cameTrue.at(-1)! <= 1,
    `${place} is not a rising curve`,
  );
  return { said, cameTrue };
}

function readDecisionWeights(value: unknown, classCount: number): number[] {
  const weights = listAt(value, 'decisionWeights', maximumClasses, numberAt);
  demand(
    weights.length === classCount && weights.every((weight) => weight >= 0),
    'decisionWeights do not fit the classes',
  );
  return weights;
}

function readCosts(value: unknown, classCount: number): DecisionCosts {
  const fields = objectAt(value, 'costs');
  const matrix = listAt(fields['matrix'], 'costs.matrix', maximumClasses, (item, place) =>
    listAt(item, place, maximumClasses, numberAt),
  );
  demand(
    classCount > 0 && matrix.length === classCount && matrix.every((row) => row.length === classCount),
    'costs do not fit the classes',
  );
  demand(
    matrix.every((row, actual) => row.every((cost) => cost >= row[actual]!)),
    'costs make a mistake cheaper than being right',
  );
  const decisionCount = countAt(fields['decisionCount'], 'costs.decisionCount');
  return { matrix, currency: textAt(fields['currency'], 'costs.currency'), decisionCount };
}

function readSets(value: unknown, classCount: number): PredictionSets {
  const fields = objectAt(value, 'sets');
  const coverage = numberAt(fields['coverage'], 'sets.coverage');
  const leastProbability = numberAt(fields['leastProbability'], 'sets.leastProbability');
  const isShare = (share: number): boolean => share >= 0 && share <= 1;
  demand(classCount > 0 && isShare(coverage) && isShare(leastProbability), 'sets do not fit the classes');
  return { coverage, leastProbability };
}

function readIntervals(value: unknown): IntervalTable {
  const fields = objectAt(value, 'intervals');
  const list = (name: string): number[] => listAt(fields[name], `intervals.${name}`, 1000, numberAt);
  const table = {
    coverage: numberAt(fields['coverage'], 'intervals.coverage'),
    edges: list('edges'),
    lower: list('lower'),
    upper: list('upper'),
  };
  const bandCount = table.edges.length + 1;
  demand(
    table.lower.length === bandCount && table.upper.length === bandCount,
    'intervals have bands of unequal number',
  );
  return table;
}
