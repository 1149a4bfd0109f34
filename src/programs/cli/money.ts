// What decisions cost, as lines for people.
import type { AnswerFor } from '../../sdk/types.ts';
import { printProperties, printTable } from './table.ts';
import { scoreInWords } from './words.ts';

type Money = NonNullable<NonNullable<AnswerFor<'getTraining'>['evaluation']>['money']>;

/** Prints what the model's decisions cost on the holdout, next to deciding without it. */
export function printMoney({ currency, decisionCount, perDecision, threshold, alternatives }: Money): void {
  const amount = (value: number): string => `${scoreInWords(value)}${currency && ` ${currency}`}`;
  printProperties([
    [
      'cost',
      `${amount(perDecision)} a decision, ${amount(perDecision * decisionCount)} for ${decisionCount}`,
    ],
    ...(threshold === undefined ? [] : [['decides from', `probability ${scoreInWords(threshold)}`] as const]),
  ]);
  printTable(
    ['instead', 'a decision', 'saved a decision', '95 % of'],
    alternatives.map(({ answer, perDecision: cost, saving }) => [
      answer === null ? 'the likelier class' : `always ${answer}`,
      amount(cost),
      amount(saving.perDecision),
      `${scoreInWords(saving.lower)} to ${scoreInWords(saving.upper)}`,
    ]),
    '',
  );
}
