// When alerts open and close. With hysteresis: an alert opens when several windows in a row reach its upper line, and closes
// when one falls below the lower; between the lines nothing changes, so that it does not flicker.
import type { AlertRule, Summary } from './rows.ts';

/** What is watched when nobody has said otherwise. */
export const defaultRules: AlertRule[] = [
  { measure: 'moved-columns', opensFrom: 1, closesBelow: 1, windowCount: 2 },
  { measure: 'answers', opensFrom: 0.25, closesBelow: 0.1, windowCount: 1 },
  { measure: 'attributions', opensFrom: 0.25, closesBelow: 0.1, windowCount: 1 },
  { measure: 'quality', opensFrom: 0.1, closesBelow: 0.05, windowCount: 1 },
  { measure: 'performance', opensFrom: 0.1, closesBelow: 0.05, windowCount: 1 },
  { measure: 'coverage', opensFrom: 0.05, closesBelow: 0.02, windowCount: 1 },
];

/** What a window counts for a rule; null where it says nothing, such as of too few rows. */
export function valueFor({ measure }: AlertRule, summary: Summary): number | null {
  switch (measure) {
    case 'performance':
      return summary.scoreLoss;
    case 'coverage':
      return summary.coverageGap;
    case 'moved-columns':
      return summary.level === 'unclear' ? null : summary.movedLotCount;
    case 'answers':
      if (summary.level === 'unclear' || summary.answersLevel === 'unclear') return null;
      // What chance explains is no movement, however large it looks.
      return summary.answersLevel === 'same' ? 0 : summary.answersPsi;
    case 'attributions':
      if (summary.attributionsLevel === 'unclear') return null;
      return summary.attributionsLevel === 'same' ? 0 : summary.attributionsDistance;
    case 'quality':
      return summary.level === 'unclear' ? null : summary.worstQualityShare;
    default:
      return measure satisfies never;
  }
}

/**
 * What becomes of an alert.
 * @param summaries of the newest windows, newest first
 */
export function nextState(
  rule: AlertRule,
  isOpen: boolean,
  summaries: readonly Summary[],
): { change: 'opens' | 'closes' | 'stays'; value: number | null } {
  const [latest] = summaries;
  const value = latest ? valueFor(rule, latest) : null;
  if (value === null) return { change: 'stays', value };
  if (isOpen) return { change: value < rule.closesBelow ? 'closes' : 'stays', value };
  // Windows that say nothing neither count nor break a row.
  const told = summaries.map((summary) => valueFor(rule, summary)).filter((one) => one !== null);
  const row = told.slice(0, rule.windowCount);
  const reached = row.length === rule.windowCount && row.every((one) => one >= rule.opensFrom);
  return { change: reached ? 'opens' : 'stays', value };
}

/** An alert in a sentence. */
export function alertMessage(endpointName: string, { measure }: AlertRule, value: number): string {
  const ofHundred = Math.round(value * 100);
  switch (measure) {
    case 'moved-columns':
      return `“${endpointName}”: ${value === 1 ? 'one column' : `${value} columns`} of what it is asked moved a lot.`;
    case 'answers':
      return `“${endpointName}”: its answers are different from before (stability index ${value.toFixed(2)}).`;
    case 'attributions':
      return `“${endpointName}”: ${ofHundred}% of what counts for its answers comes from other columns than before.`;
    case 'quality':
      return `“${endpointName}”: ${ofHundred} of 100 values of a column are missing, new or out of range.`;
    case 'performance':
      return `“${endpointName}”: its answers are ${ofHundred}% worse than when the model was trained.`;
    case 'coverage':
      return `“${endpointName}”: the truth lies outside of what it calls likely ${ofHundred} times in 100 more often than promised.`;
    default:
      return measure satisfies never;
  }
}
