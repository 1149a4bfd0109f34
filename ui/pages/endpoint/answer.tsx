// The answer to one row: what, and how sure.
import { Text } from '@mantine/core';
import type { Prediction } from '../../api/types.ts';
import { Bars } from '../../charts/bars.tsx';
import { formatNumber, formatShare, ofHundred } from '../../kit/format.ts';
import { Okta, OktaRow } from '../../kit/okta.tsx';
import classes from './endpoint.module.css';

interface AnswerProps {
  prediction: Prediction;
  warnings: readonly string[];
  /** The form was changed since. */
  isStale: boolean;
}

const shownClasses = 8;

/** In words, then as bars or as an interval. */
export function Answer({ prediction, warnings, isStale }: AnswerProps) {
  const { probabilities, lower, upper } = prediction;
  return (
    <div className={classes.result} data-stale={isStale || undefined}>
      <Text size="sm" c="dimmed">
        {isStale ? 'For the row before your last change' : 'The answer'}
      </Text>
      <p className={classes.said}>
        {typeof prediction.prediction === 'number'
          ? formatNumber(prediction.prediction)
          : prediction.prediction}
      </p>
      {probabilities && <Sureness prediction={prediction} probabilities={probabilities} />}
      {lower !== undefined && upper !== undefined && (
        <Interval value={Number(prediction.prediction)} lower={lower} upper={upper} />
      )}
      {warnings.map((warning) => (
        <Text key={warning} size="sm" c="dimmed" mt="sm">
          {warning}
        </Text>
      ))}
    </div>
  );
}

/** Before the first answer. */
export function NoAnswer() {
  return (
    <div className={classes.result}>
      <OktaRow size={14} />
      <Text c="dimmed" mt="md">
        Press Predict: the answer appears here, with how sure the model is.
      </Text>
    </div>
  );
}

interface SurenessProps {
  prediction: Prediction;
  probabilities: Record<string, number>;
}

function Sureness({ prediction, probabilities }: SurenessProps) {
  const sorted = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a);
  const probability = probabilities[String(prediction.prediction)] ?? 0;
  const rest = sorted.slice(shownClasses).reduce((sum, [, value]) => sum + value, 0);
  return (
    <>
      <div className={classes.sure}>
        <Okta share={probability} size={34} />
        <Text>
          {surenessWords(probability)}: of 100 rows like this, about {ofHundred(probability)} are “
          {prediction.prediction}”.
        </Text>
      </div>
      {(prediction.likelyClasses?.length ?? 0) > 1 && (
        <Text size="sm" mb="sm">
          It may be{' '}
          {prediction
            .likelyClasses!.slice(0, shownClasses)
            .map((name) => `“${name}”`)
            .join(' or ')}
          : the true one is among these in 90 of 100 cases.
        </Text>
      )}
      <Bars
        label="Probabilities"
        maximum={1}
        items={[
          ...sorted.slice(0, shownClasses).map(([name, value]) => ({
            name,
            value,
            text: formatShare(value),
            isMarked: name === String(prediction.prediction),
          })),
          ...(rest > 0
            ? [{ name: 'all others', value: rest, text: formatShare(rest), isMarked: false }]
            : []),
        ]}
      />
    </>
  );
}

function surenessWords(probability: number): string {
  if (probability >= 0.95) return 'Nearly sure';
  if (probability >= 0.8) return 'Quite sure';
  if (probability >= 0.6) return 'More likely than not';
  return 'A close call';
}

function Interval({ value, lower, upper }: { value: number; lower: number; upper: number }) {
  const range = upper - lower;
  const position = range > 0 ? Math.min(1, Math.max(0, (value - lower) / range)) : 0.5;
  return (
    <>
      <div className={classes.interval} aria-hidden>
        <span style={{ left: `${position * 100}%` }} />
      </div>
      <div className={classes.ends}>
        <span>{formatNumber(lower)}</span>
        <span>{formatNumber(upper)}</span>
      </div>
      <Text mt={6}>
        In 90 of 100 cases the true value lies between {formatNumber(lower)} and {formatNumber(upper)}.
      </Text>
    </>
  );
}
