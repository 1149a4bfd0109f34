// The table of predictions as CSV (RFC 4180). Classification: `prediction`, then `probability_<class>` for each class.
// Regression: `prediction`, `lower`, `upper`. One line for each row, in the order of the rows.
import type { PredictedColumns } from '../../../ml/model/predictor.ts';

/** The first line. */
export function predictionsHeader({ probabilities }: PredictedColumns): string {
  const others = probabilities
    ? Object.keys(probabilities).map((name) => `probability_${name}`)
    : ['lower', 'upper'];
  return `${['prediction', ...others].map(field).join(',')}\n`;
}

/** The lines of some rows. */
export function predictionsLines({ prediction, probabilities, lower, upper }: PredictedColumns): string {
  const others = probabilities ? Object.values(probabilities) : [lower, upper];
  return prediction
    .map((value, row) => `${[value, ...others.map((values) => values?.[row])].map(field).join(',')}\n`)
    .join('');
}

/** One field; quoted where it must be. Numbers in their shortest form that reads back as the same number. */
function field(value: string | number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  const text = String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
