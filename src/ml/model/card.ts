// The model card (Mitchell et al., FAT* 2019) in plain words, made from what the model knows about itself. As JSON for
// pages, as Markdown for people.
import { hasClasses } from '../frame/schema.ts';
import { thresholdOf } from './costs.ts';
import { handlingByColumn } from './handling.ts';
import type { ModelManifest } from './manifest.ts';

export interface ModelCard {
  title: string;
  summary: string;
  inputs: { column: string; kind: string; importance?: number; handling: string }[];
  ignored: { column: string; reason: string }[];
  /** What its answers keep to, whatever the data says. */
  promises: string[];
  /** Where it is weakest, and groups of people that it chooses clearly less often. */
  findings: string[];
  /** How it chooses between classes, where mistakes cost money. */
  decisions: string[];
  quality: { metric: string; crossValidation: number; holdout: Record<string, number>; rowCount: number };
  intendedUse: string;
  /** What of the data is in the file itself. */
  holds: string[];
  limits: string[];
  training: string;
}

/** Where a model is weak and whom it treats otherwise: told by the training, not part of the file. */
export interface Findings {
  cohorts?: { measure: string; cohorts: readonly Finding[] } | undefined;
  fairness: readonly { column: string; groups: readonly FairGroup[] }[];
}

type Condition =
  | { column: string; kind: 'is'; value: string | null }
  | { column: string; kind: 'between'; from: number | null; to: number | null };

interface Finding {
  conditions: readonly Condition[];
  rowCount: number;
  error: number;
  errorElsewhere: number;
}

interface FairGroup {
  condition: Condition;
  selectionRatio?: { value: number; lower: number; upper: number; isBelowFourFifths: boolean } | undefined;
}

/** The card of a model, and the same as Markdown; with what its training found, where that is known. */
export function modelCard(
  manifest: ModelManifest,
  findings?: Findings,
): { card: ModelCard; markdown: string } {
  const card = { ...makeCard(manifest), findings: findings ? findingsOf(findings) : [] };
  return { card, markdown: toMarkdown(card) };
}

function makeCard(manifest: ModelManifest): Omit<ModelCard, 'findings'> {
  const { target, classes, schema, quality, importance, training } = manifest;
  const handlings = handlingByColumn(manifest);
  const importanceOf = new Map(importance.map((entry) => [entry.column, entry.share]));
  const classWords =
    classes.length > 0
      ? ` The classes are ${classes
          .slice(0, 10)
          .map((name) => `"${name}"`)
          .join(', ')}${classes.length > 10 ? ` and ${classes.length - 10} more` : ''}.`
      : '';
  return {
    title: `Model of ${target}`,
    summary: `Predicts ${whatOf(manifest)} from ${schema.length} columns.${classWords}`,
    inputs: schema.map((column) => {
      const share = importanceOf.get(column.name);
      return {
        column: column.name,
        kind: column.kind,
        ...(share !== undefined && { importance: share }),
        handling: handlings.get(column.name)!,
      };
    }),
    ignored: manifest.ignoredColumns,
    promises: promisesOf(manifest),
    decisions: decisionsOf(manifest),
    quality: {
      metric: quality.metric,
      crossValidation: quality.crossValidationScore,
      holdout: quality.holdout,
      rowCount: quality.holdoutRowCount,
    },
    intendedUse: `For rows of the same kind, gathered in the same way, as the ${training.rowCount + quality.holdoutRowCount} rows it was made from, and where a wrong answer can be noticed and put right.`,
    holds: holdsOf(manifest),
    limits: limitsOf(manifest),
    training: `Trained on ${training.rowCount} rows, ${training.foldCount > 1 ? `with ${training.foldCount}-fold cross-validation` : 'with one validation split'}, ${training.trialCount} trials, seed ${training.seed}, engine ${manifest.engineVersion}. The figures come from ${quality.holdoutRowCount} rows that training never saw.${training.finalRowCount === undefined ? '' : ` Then, so that nothing known is wasted, it learned once more from all ${training.finalRowCount} rows; no figure speaks of that.`}`,
  };
}

function holdsOf({ training: { backgroundRowCount = 0 } }: ModelManifest): string[] {
  if (backgroundRowCount === 0) return [];
  return [
    `${backgroundRowCount} rows that it learned from, with the values of the columns above as they were (long texts cut short, the target left out): explanations compare with them. Whoever has the file can read them.`,
  ];
}

function promisesOf({ constraints, task, positiveClass }: ModelManifest): string[] {
  if (!constraints) return [];
  const answer = !hasClasses(task) ? 'The answer' : `The probability of "${positiveClass}"`;
  const { increasing, decreasing, interactionGroups } = constraints;
  const listOf = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');
  return [
    ...increasing.map((name) => `${answer} never falls as "${name}" rises, all else being equal.`),
    ...decreasing.map((name) => `${answer} never rises as "${name}" rises, all else being equal.`),
    ...(interactionGroups ?? [])
      .filter((group) => group.length > 1)
      .map((group) => `These columns may act together: ${listOf(group)}.`),
    ...(interactionGroups ? ['In each of its trees, any other columns act on their own.'] : []),
  ];
}

function findingsOf({ cohorts, fairness }: Findings): string[] {
  const figure = (value: number): string => String(Number(value.toPrecision(3)));
  const said = (measure: string, value: number): string =>
    measure === 'mistakes' ? `wrong in ${figure(value * 100)} of 100` : `off by ${figure(value)}`;
  return [
    ...(cohorts?.cohorts ?? [])
      .slice(0, 5)
      .map(
        ({ conditions, rowCount, error, errorElsewhere }) =>
          `Where ${conditions.map(conditionWords).join(' and ')} (${rowCount} rows) it is ${said(cohorts!.measure, error)}, elsewhere ${said(cohorts!.measure, errorElsewhere)}.`,
      ),
    ...fairness.flatMap(({ column, groups }) =>
      groups.flatMap(({ condition, selectionRatio: ratio }) =>
        ratio?.isBelowFourFifths
          ? [
              `By "${column}": where ${conditionWords(condition)}, it chooses ${figure(ratio.value)} times as often as in the most chosen group (likely ${figure(ratio.lower)} to ${figure(ratio.upper)}), below four fifths.`,
            ]
          : [],
      ),
    ),
  ];
}

function conditionWords(condition: Condition): string {
  if (condition.kind === 'is')
    return condition.value === null
      ? `"${condition.column}" is missing`
      : `"${condition.column}" is "${condition.value}"`;
  const { column, from, to } = condition;
  return `"${column}" is${from === null ? '' : ` above ${from}`}${to === null ? '' : ` up to ${to}`}`;
}

function decisionsOf({ costs, classes, decisionWeights, positiveClass, quality }: ModelManifest): string[] {
  if (!costs) return [];
  const money = (value: number): string =>
    `${Number(value.toPrecision(6))}${costs.currency && ` ${costs.currency}`}`;
  const dearest = costs.matrix
    .flatMap((row, actual) =>
      row.map((cost, decided) => ({ cost, actual: classes[actual]!, decided: classes[decided]! })),
    )
    .filter(({ actual, decided }) => actual !== decided)
    .sort((a, b) => b.cost - a.cost)
    .slice(0, 10);
  const positive = positiveClass === undefined ? -1 : classes.indexOf(positiveClass);
  const threshold = positive < 0 ? undefined : thresholdOf(costs.matrix, decisionWeights, positive);
  const perDecision = quality.holdout['cost'];
  return [
    threshold === undefined
      ? 'It says the class whose mistakes cost least, by its probabilities.'
      : `It says "${positiveClass}" where its probability is above ${Number(threshold.toPrecision(4))}, because that costs least.`,
    ...dearest.map(
      ({ cost, actual, decided }) => `Saying "${decided}" of what is "${actual}" costs ${money(cost)}.`,
    ),
    ...(perDecision === undefined
      ? []
      : [
          `On rows that it never saw, a decision cost ${money(perDecision)} on average: ${money(perDecision * costs.decisionCount)} for ${costs.decisionCount} decisions.`,
        ]),
  ];
}

function whatOf({ task, target }: ModelManifest): string {
  switch (task) {
    case 'binary':
      return `which of two classes a row has in "${target}"`;
    case 'multiclass':
      return `which of several classes a row has in "${target}"`;
    case 'regression':
      return `the number "${target}"`;
    case 'ranking':
      return `the order of rows within a group by "${target}"`;
    default:
      return task satisfies never;
  }
}

function limitsOf({ task, intervals, warnings, quality }: ModelManifest): string[] {
  const limits = [
    'It finds what goes together in the data, not what causes what.',
    'It knows nothing of times, places or groups that the data does not hold; its answers grow worse as the world changes.',
  ];
  if (task === 'regression' && intervals)
    limits.push(
      `Intervals are made to hold ${Math.round(intervals.coverage * 100)} of 100 truths on average, not for every group.`,
    );
  if (task === 'ranking')
    limits.push(
      'Its scores only order the rows of one group: they are in no unit, and those of two groups do not compare.',
    );
  if (quality.holdoutRowCount < 200)
    limits.push(`It was judged on only ${quality.holdoutRowCount} rows: expect the figures to be off.`);
  return [...limits, ...warnings];
}

function toMarkdown(card: ModelCard): string {
  const figure = (value: number): string => String(Number(value.toPrecision(4)));
  const metrics = Object.entries(card.quality.holdout).map(
    ([name, value]) => `| ${name} | ${figure(value)} |`,
  );
  const inputs = card.inputs.map(
    ({ column, kind, importance, handling }) =>
      `| ${cell(column)} | ${kind} | ${importance === undefined ? '' : `${Math.round(importance * 100)} %`} | ${cell(handling)} |`,
  );
  const ignored = card.ignored.map(({ column, reason }) => `- ${cell(column)}: ${reason}`);
  return [
    `# ${cell(card.title)}`,
    '',
    cell(card.summary),
    '',
    '## How good it is',
    '',
    `On ${card.quality.rowCount} rows that it never saw (${card.quality.metric} in cross-validation: ${figure(card.quality.crossValidation)}):`,
    '',
    '| metric | value |',
    '|---|---|',
    ...metrics,
    '',
    '## What goes in',
    '',
    '| column | kind | importance | handling |',
    '|---|---|---|---|',
    ...inputs,
    '',
    ...(ignored.length > 0 ? ['Not used:', '', ...ignored, ''] : []),
    ...(card.promises.length > 0
      ? ['## What it keeps to', '', ...card.promises.map((promise) => `- ${cell(promise)}`), '']
      : []),
    ...(card.decisions.length > 0
      ? ['## What its decisions cost', '', ...card.decisions.map((line) => `- ${cell(line)}`), '']
      : []),
    ...(card.findings.length > 0
      ? ['## Where to take care', '', ...card.findings.map((line) => `- ${cell(line)}`), '']
      : []),
    '## What it is for',
    '',
    card.intendedUse,
    '',
    ...(card.holds.length > 0
      ? ['## What the file holds of the data', '', ...card.holds.map((line) => `- ${cell(line)}`), '']
      : []),
    '## Limits',
    '',
    ...card.limits.map((limit) => `- ${cell(limit)}`),
    '',
    '## How it was made',
    '',
    card.training,
    '',
  ].join('\n');
}

/** Text from data must not become Markdown or HTML. */
function cell(text: string): string {
  return text.replace(/[\r\n]+/g, ' ').replace(/[\\`*_[\]<>|#]/g, '\\$&');
}
