// `pilvi model explain` and `pilvi model counterfactual`: why a model answers as it does for one row, and what would have
// to be otherwise for another answer. Of a model file it is worked out here, of a version on the server there.
import type { Command } from 'commander';
import type { ModelExplainer } from '../../../ml/explain/explainer.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { UsageError } from '../failure.ts';
import { findModelVersion } from '../find.ts';
import type { Session } from '../session.ts';
import { printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { addTrustOption, refuseTrust, trustOf, type TrustOption } from '../trust-option.ts';
import { collect, collectRange, finiteNumber, jsonObject, wholeNumber, type ColumnRange } from '../values.ts';

type Why = AnswerFor<'explainRows'>;
type Explanation = Why['explanations'][number] & Pick<Why, 'comparedWith'>;
type Counterfactuals = AnswerFor<'findCounterfactuals'>;

interface ExplainOptions extends TrustOption {
  row: Record<string, unknown>;
  class?: string;
}

interface CounterfactualOptions extends TrustOption {
  row: Record<string, unknown>;
  class?: string;
  atLeast?: number;
  atMost?: number;
  fixed?: string[];
  increasing?: string[];
  decreasing?: string[];
  range?: ColumnRange[];
  changes: number;
}

const modelWords = 'a .pilvi file (no server needed), NAME, NAME@VERSION, NAME@ALIAS or an id';

/** Adds both to `pilvi model`. */
export function addExplanationCommands(model: Command): void {
  const explain = model
    .command('explain')
    .description('why a model answers as it does: what each column adds to the answer for one row')
    .argument('<model>', modelWords)
    .requiredOption('--row <json>', 'the row, such as \'{"age": 31, "city": "Oulu"}\'', jsonObject)
    .option('--class <class>', 'the class to explain; left out, the one predicted');
  addTrustOption(explain).action(act(explainRow, showExplanation));
  const counterfactual = model
    .command('counterfactual')
    .description('what would have to be otherwise for another answer: few and small changes')
    .argument('<model>', modelWords)
    .requiredOption('--row <json>', 'the row, such as \'{"age": 31, "city": "Oulu"}\'', jsonObject)
    .option('--class <class>', 'the answer that is wanted')
    .option('--at-least <number>', 'of a number: the least that is wanted', finiteNumber)
    .option('--at-most <number>', 'of a number: the most that is wanted', finiteNumber)
    .option('--fixed <column>', 'a column that cannot change; may be given several times', collect)
    .option('--increasing <column>', 'a number that can only rise; may be given several times', collect)
    .option('--decreasing <column>', 'a number that can only fall; may be given several times', collect)
    .option(
      '--range <column=from..to>',
      'a number that stays within these, such as age=18..65 or price=..100; may be given several times',
      collectRange,
    )
    .option('--changes <number>', 'change at most so many columns', wholeNumber(1, 5), 3);
  addTrustOption(counterfactual).action(act(findCounterfactuals, showCounterfactuals));
}

async function explainRow(
  session: Session,
  { row, class: outcome, ...trust }: ExplainOptions,
  reference: string,
): Promise<Explanation> {
  const explainer = await explainerOfFile(reference, trust);
  if (explainer) {
    const { explanations, comparedWith } = explainer.explain([row], outcome === undefined ? {} : { outcome });
    return { ...explanations[0]!, comparedWith };
  }
  refuseTrust(trust);
  const client = await session.client();
  const { id: versionId } = await findModelVersion(client, await session.projectId(), reference);
  const body = { rows: [row], outcome: outcome ?? null };
  const { explanations, comparedWith } = await client.explainRows(
    { versionId, body },
    { signal: session.signal },
  );
  return { ...explanations[0]!, comparedWith };
}

async function findCounterfactuals(
  session: Session,
  options: CounterfactualOptions,
  reference: string,
): Promise<Counterfactuals> {
  const { row, fixed = [], increasing = [], decreasing = [], range: ranges = [], changes } = options;
  const rules = { fixed, increasing, decreasing, ranges, mostChanges: changes };
  const body = { row, wanted: wantedOf(options), ...rules };
  const explainer = await explainerOfFile(reference, options);
  if (explainer) return explainer.findCounterfactuals(body);
  refuseTrust(options);
  const client = await session.client();
  const { id: versionId } = await findModelVersion(client, await session.projectId(), reference);
  return client.findCounterfactuals({ versionId, body }, { signal: session.signal });
}

/** Of a model file; undefined for what is on a server. */
async function explainerOfFile(reference: string, trust: TrustOption): Promise<ModelExplainer | undefined> {
  const { isModelFile, readModelFile } = await import('../local/model-file.ts');
  if (!(await isModelFile(reference))) return undefined;
  const { modelExplainer } = await import('../../../ml/explain/explainer.ts');
  return modelExplainer((await readModelFile(reference, trustOf(trust))).content);
}

function wantedOf({ class: wanted, atLeast, atMost }: CounterfactualOptions) {
  const said = [
    ...(wanted === undefined ? [] : [{ class: wanted }]),
    ...(atLeast === undefined ? [] : [{ atLeast }]),
    ...(atMost === undefined ? [] : [{ atMost }]),
  ];
  if (said.length !== 1 || !said[0])
    throw new UsageError('say which answer is wanted: --class CLASS, --at-least NUMBER or --at-most NUMBER');
  return said[0];
}

const averageWords: Readonly<Record<Why['comparedWith'], string>> = {
  'given-rows': 'for the rows given',
  'background-rows': 'for the sample rows in the model file',
  'training-statistics': 'by what is known of the training; the file holds no sample rows',
};

export function showExplanation({
  outcome,
  base,
  prediction,
  contributions,
  comparedWith,
}: Explanation): void {
  print(
    `"${outcome}": ${figure(prediction)} here, ${figure(base)} on average (${averageWords[comparedWith]}). The difference comes from:`,
  );
  printTable(
    ['column', 'value', 'adds'],
    contributions.map(({ column, value, contribution }) => [column, words(value), figure(contribution)]),
    'The model looks at no column.',
  );
}

function showCounterfactuals({
  prediction,
  isWantedAlready,
  counterfactuals,
  triedCount,
}: Counterfactuals): void {
  if (isWantedAlready) {
    print(`That is the answer already: ${words(prediction.prediction)}.`);
    return;
  }
  print(`The answer is ${words(prediction.prediction)}. It would be another with:`);
  printTable(
    ['changes', 'answer'],
    counterfactuals.map((found) => [
      found.changes.map(({ column, from, to }) => `${column}: ${words(from)} -> ${words(to)}`).join(', '),
      words(found.prediction.prediction),
    ]),
    `No such change was found among ${triedCount} that were tried.`,
  );
}

export function words(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? 'missing' : JSON.stringify(value);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
