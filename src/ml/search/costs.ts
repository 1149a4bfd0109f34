// What a recipe says of money, by names, checked and turned into a matrix by class (model/costs.ts).
import { Problem, type FieldError } from '../../base/problems.ts';
import { hasClasses } from '../frame/schema.ts';
import type { Metric } from '../metrics/metrics.ts';
import type { DecisionCosts } from '../model/costs.ts';
import type { Target } from './task.ts';

/** Money for one decision each; a gain when negative. */
export interface CostsOfDecisions {
  /** Two classes: a false alarm, which is the positive class said of a row that has the other. Needed, like a miss. */
  falsePositive: number | null;
  /** Two classes: a miss. */
  falseNegative: number | null;
  truePositive: number;
  trueNegative: number;
  /** Three or more classes: what it costs to say `predicted` of a row that is `actual`. */
  cells: readonly { actual: string; predicted: string; cost: number }[];
  /** Three or more classes: a mistake that `cells` do not name. Being right costs nothing unless they do. */
  otherMistakes: number;
  currency: string;
  decisionCount: number;
}

type Posed = Pick<Target, 'task' | 'classes' | 'positiveClass'>;

/**
 * The matrix for a target; nothing when the recipe says nothing of money. `place` begins the names of fields.
 * @throws Problem `invalid-request` when costs do not fit the classes, leave nothing to decide, or are missing for the metric
 */
export function decisionCosts(
  costs: CostsOfDecisions | undefined,
  target: Posed,
  { metric, place = '' }: { metric: Metric; place?: string },
): DecisionCosts | undefined {
  if (!costs) {
    if (metric.name !== 'cost') return undefined;
    throw refusal([{ field: `${place}metric`, message: 'needs costs: say what mistakes cost' }]);
  }
  const errors = faultsOf(costs, target).map((fault) => ({ ...fault, field: `${place}${fault.field}` }));
  if (errors.length > 0) throw refusal(errors);
  const matrix = target.task === 'binary' ? binaryMatrix(costs, target) : matrixOf(costs, target);
  const unwise = unwiseIn(matrix, target.classes);
  if (unwise !== undefined) throw refusal([{ field: `${place}costs`, message: unwise }]);
  return { matrix, currency: costs.currency.trim(), decisionCount: costs.decisionCount };
}

function faultsOf(costs: CostsOfDecisions, { task, classes }: Posed): FieldError[] {
  const { falsePositive, falseNegative, cells } = costs;
  if (!hasClasses(task))
    return [{ field: 'costs', message: 'are of decisions between classes, and this target has none' }];
  const faults: FieldError[] = [];
  if (task === 'binary') {
    if (falsePositive === null) faults.push({ field: 'costs.falsePositive', message: 'must be given' });
    if (falseNegative === null) faults.push({ field: 'costs.falseNegative', message: 'must be given' });
    if (cells.length > 0)
      faults.push({
        field: 'costs.cells',
        message: 'are for three or more classes; with two, give falsePositive and falseNegative',
      });
    return faults;
  }
  if (falsePositive !== null || falseNegative !== null)
    faults.push({ field: 'costs', message: 'of three or more classes are given by cells and otherMistakes' });
  const seen = new Set<string>();
  for (const [index, { actual, predicted }] of cells.entries()) {
    const field = `costs.cells.${index}`;
    const unknown = [actual, predicted].find((name) => !classes.includes(name));
    const pair = JSON.stringify([actual, predicted]);
    if (unknown !== undefined)
      faults.push({ field, message: `names "${unknown.slice(0, 60)}", which is no class of the target` });
    else if (seen.has(pair)) faults.push({ field, message: 'names a pair of classes a second time' });
    seen.add(pair);
  }
  return faults;
}

function binaryMatrix(costs: CostsOfDecisions, { positiveClass }: Posed): number[][] {
  const { falsePositive, falseNegative, truePositive, trueNegative } = costs;
  const negative = [trueNegative, falsePositive!];
  const positive = [falseNegative!, truePositive];
  return positiveClass === 1 ? [negative, positive] : [positive.toReversed(), negative.toReversed()];
}

function matrixOf({ cells, otherMistakes }: CostsOfDecisions, { classes }: Posed): number[][] {
  const matrix = classes.map((_, actual) =>
    classes.map((__, decided) => (actual === decided ? 0 : otherMistakes)),
  );
  for (const { actual, predicted, cost } of cells)
    matrix[classes.indexOf(actual)]![classes.indexOf(predicted)] = cost;
  return matrix;
}

/** What leaves a model nothing to decide, or makes it decide against the truth. */
function unwiseIn(matrix: number[][], classes: readonly string[]): string | undefined {
  for (const [actual, row] of matrix.entries()) {
    const decided = row.findIndex((cost) => cost < row[actual]!);
    if (decided >= 0)
      return `make it cheaper to say "${classes[decided]}" of what is "${classes[actual]}" than to be right`;
  }
  const free = classes.findIndex((_, decided) => matrix.every((row, actual) => row[decided] === row[actual]));
  return free < 0
    ? undefined
    : `leave nothing to decide: always saying "${classes[free]}" costs no more than being right. Say what that mistake costs`;
}

function refusal(errors: FieldError[]): Problem {
  const { field, message } = errors[0]!;
  return new Problem('invalid-request', `Costs: "${field.replace(/^body\./, '')}" ${message}.`, { errors });
}
