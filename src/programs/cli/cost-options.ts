// The options of a recipe that speak of money: what decisions cost.
import { InvalidArgumentError, type Command } from 'commander';
import type { Recipe } from '../../contract/training.ts';
import { numberWithin, wholeNumber } from './values.ts';

type Cell = NonNullable<Recipe['costs']>['cells'][number];

/** What the options are read as. */
export interface CostOptions {
  costFalsePositive?: number;
  costFalseNegative?: number;
  costTruePositive?: number;
  costTrueNegative?: number;
  cost?: Cell[];
  costOtherMistakes?: number;
  currency?: string;
  decisions?: number;
}

const money = numberWithin(-1e12, 1e12);

/** Declares them. */
export function addCostOptions(command: Command): Command {
  return command
    .option('--cost-false-positive <money>', 'of two classes, what a false alarm costs', money)
    .option('--cost-false-negative <money>', 'of two classes, what a miss costs', money)
    .option('--cost-true-positive <money>', 'what finding one costs; a gain is below 0', money)
    .option('--cost-true-negative <money>', 'what rightly leaving one alone costs', money)
    .option(
      '--cost <actual:said=money>',
      'of three or more classes, what saying one of another costs; may be given several times',
      collectCell,
    )
    .option('--cost-other-mistakes <money>', 'what a mistake costs that --cost does not name', money)
    .option('--currency <name>', 'what the money is counted in, such as EUR', shortText)
    .option(
      '--decisions <number>',
      'how many decisions totals are told for, 1000 by default',
      wholeNumber(1, 1e12),
    );
}

/** The costs that the options say; null when they say nothing of money. */
export function costsOf(options: CostOptions): Recipe['costs'] {
  const { costFalsePositive, costFalseNegative, costTruePositive, costTrueNegative } = options;
  const { cost, costOtherMistakes, currency, decisions } = options;
  const said = [costFalsePositive, costFalseNegative, costTruePositive, costTrueNegative, costOtherMistakes];
  if (cost === undefined && said.every((value) => value === undefined)) return null;
  return {
    falsePositive: costFalsePositive ?? null,
    falseNegative: costFalseNegative ?? null,
    truePositive: costTruePositive ?? 0,
    trueNegative: costTrueNegative ?? 0,
    cells: cost ?? [],
    otherMistakes: costOtherMistakes ?? 0,
    currency: currency ?? '',
    decisionCount: decisions ?? 1000,
  };
}

/** `ill:healthy=500`. */
function collectCell(text: string, before: Cell[] | undefined): Cell[] {
  const match = /^([^:]+):([^:]+)=([^=]+)$/.exec(text);
  if (!match)
    throw new InvalidArgumentError('It must have the form ACTUAL:SAID=MONEY, such as ill:healthy=500.');
  const [, actual, predicted, amount] = match;
  return [...(before ?? []), { actual: actual!, predicted: predicted!, cost: money(amount!) }];
}

function shortText(text: string): string {
  if (text.length <= 12) return text;
  throw new InvalidArgumentError('It must have at most 12 characters, such as EUR.');
}
