// What a report says in a few figures and one sentence, for people who are not experts.
import type { DriftLevel } from '../../ml/drift/drift-levels.ts';
import type { Details, Summary } from './rows.ts';

type Column = Details['columns'][number];

/** From this share of odd values of a column on, the sentence speaks of them. */
const mentionedQuality = 0.05;
/** With fewer rows nothing is said of them. */
const leastRows = 30;
const namedColumns = 3;

/** Sums up `details`; columns of `excluded` may move without being told of. */
export function summarise(details: Details, rowCount: number, excluded: ReadonlySet<string>): Summary {
  const watched = details.columns.filter(({ column }) => !excluded.has(column));
  const lot = watched.filter(({ drift }) => drift?.level === 'lot');
  const little = watched.filter(({ drift }) => drift?.level === 'little');
  const scoreLoss = lossOf(details.performance);
  const coverageGap = details.coverage && Math.max(0, details.coverage.promised - details.coverage.upper);
  const worst = watched.toSorted((a, b) => qualityShare(b) - qualityShare(a))[0];
  const figures = {
    rowCount,
    movedLittleCount: little.length,
    movedLotCount: lot.length,
    largestPsi: watched.reduce<number | null>(
      (most, { drift }) => (drift ? Math.max(most ?? 0, drift.psi) : most),
      null,
    ),
    answersLevel: details.answers?.level ?? 'unclear',
    answersPsi: details.answers?.psi ?? null,
    attributionsLevel: details.attributions?.level ?? 'unclear',
    attributionsDistance: details.attributions?.distance ?? null,
    worstQualityShare: worst ? qualityShare(worst) : 0,
    score: details.performance?.score.value ?? null,
    scoreLoss,
    expectedAccuracy: details.expectedAccuracy?.value ?? null,
    coverage: details.coverage?.value ?? null,
    coverageGap,
  };
  return {
    ...figures,
    level: levelOf(figures, details.comparedWith.kind),
    headline: headlineOf(figures, { lot, little, worst, comparedWith: details.comparedWith.kind }),
  };
}

/** The share of a column's values that are not as they should be, in the respect in which most are not. */
export function qualityShare({ quality }: Pick<Column, 'quality'>): number {
  const { missingShare, referenceMissingShare, invalidShare, outsideShare, unseenShare } = quality;
  return Math.max(0, missingShare - referenceMissingShare, invalidShare, outsideShare ?? 0, unseenShare ?? 0);
}

/**
 * By what part of the score on held-out rows the model is worse now, at the better end of the interval: 0 unless it is
 * clearly worse. Null where either is not known.
 */
function lossOf(performance: Details['performance']): number | null {
  if (!performance || performance.trainedScore === null) return null;
  const { score, trainedScore, greaterIsBetter } = performance;
  const loss = greaterIsBetter ? trainedScore - score.upper : score.lower - trainedScore;
  return Math.max(0, loss / Math.max(Math.abs(trainedScore), 1e-9));
}

type Figures = Omit<Summary, 'level' | 'headline'>;

/** From such a loss of its score on, a model is much worse. */
const muchWorse = 0.1;

function levelOf(figures: Figures, comparedWith: Details['comparedWith']['kind']): DriftLevel {
  const {
    rowCount,
    movedLotCount,
    movedLittleCount,
    answersLevel,
    attributionsLevel,
    scoreLoss,
    coverageGap,
  } = figures;
  if ((scoreLoss ?? 0) >= muchWorse) return 'lot';
  if (rowCount < leastRows || comparedWith === 'nothing') return 'unclear';
  if (movedLotCount > 0 || answersLevel === 'lot' || attributionsLevel === 'lot') return 'lot';
  const isOdd =
    figures.worstQualityShare >= mentionedQuality || (scoreLoss ?? 0) > 0 || (coverageGap ?? 0) > 0;
  const isLittle = answersLevel === 'little' || attributionsLevel === 'little';
  return movedLittleCount > 0 || isLittle || isOdd ? 'little' : 'same';
}

function headlineOf(
  figures: Figures,
  {
    lot,
    little,
    worst,
    comparedWith,
  }: {
    lot: Column[];
    little: Column[];
    worst: Column | undefined;
    comparedWith: Details['comparedWith']['kind'];
  },
): string {
  const { rowCount, answersLevel, attributionsLevel, scoreLoss, coverageGap, worstQualityShare } = figures;
  if (rowCount === 0) return 'Nobody asked for a prediction in this time.';
  if (rowCount < leastRows) return `Only ${rowCount} rows were predicted: too few to tell anything.`;
  const said: string[] = [];
  if ((scoreLoss ?? 0) > 0) said.push('The answers are worse than when the model was trained');
  if ((coverageGap ?? 0) > 0) said.push('The truth lies outside of what the model calls likely too often');
  if (answersLevel === 'lot') said.push('The answers are very different from before');
  if (lot.length > 0) said.push(`${namesOf(lot)} moved a lot`);
  else if (answersLevel === 'little') said.push('The answers are a little different from before');
  if (lot.length === 0 && little.length > 0) said.push(`${namesOf(little)} moved a little`);
  if (attributionsLevel === 'lot') said.push('Other columns count for the answers than before');
  if (worst && worstQualityShare >= mentionedQuality) said.push(oddValues(worst));
  if (said.length > 0) return `${said.slice(0, 3).join('. ')}.`;
  if (comparedWith === 'nothing')
    return 'There is nothing to compare with yet. The next window is compared with this one.';
  return comparedWith === 'training'
    ? 'Answers still look like what the model learned from.'
    : 'Answers still look like those of the window before.';
}

function namesOf(columns: readonly Column[]): string {
  const names = columns.slice(0, namedColumns).map(({ column }) => `“${column}”`);
  const rest = columns.length - names.length;
  if (rest > 0) return `${names.join(', ')} and ${rest} more ${rest === 1 ? 'column' : 'columns'}`;
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function oddValues(column: Column): string {
  const { missingShare, referenceMissingShare, invalidShare, outsideShare, unseenShare } = column.quality;
  const share = qualityShare(column);
  const percent = `${Math.round(100 * share)} of 100 values of “${column.column}”`;
  if (share === missingShare - referenceMissingShare) return `${percent} are missing that usually are not`;
  if (share === unseenShare) return `${percent} are new to the model`;
  if (share === outsideShare) return `${percent} lie outside of all that the model has seen`;
  return share === invalidShare ? `${percent} are not valid` : `${percent} are odd`;
}
