// How good the answers were, where it is known by now what was true.
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { learnersQuery } from '../../api/queries.ts';
import type { MonitorDetails } from '../../api/types.ts';
import { formatCount, formatNumber, formatShare } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import classes from './monitoring.module.css';

type Performance = NonNullable<MonitorDetails['performance']>;

/** The score and the worst segments. */
export function MonitorOutcomes({ performance }: { performance: Performance }) {
  const { score, metric, trainedScore, greaterIsBetter, slices, errorMeasure, outcomeCount } = performance;
  const known = useQuery(learnersQuery).data?.metrics.find(({ name }) => name === metric);
  const isMistakes = errorMeasure === 'mistakes';
  const amount = (value: number): string => (isMistakes ? formatShare(value) : formatNumber(value));
  return (
    <section>
      <h2 className={classes.title}>How good the answers were</h2>
      <Text>
        {known?.label ?? metric} is {formatNumber(score.value)} on {formatCount(outcomeCount)} rows whose
        outcome is known, between {formatNumber(score.lower)} and {formatNumber(score.upper)} allowing for
        chance
        {trainedScore !== null && `; it was ${formatNumber(trainedScore)} when the model was trained`}.{' '}
        {greaterIsBetter ? 'More is better.' : 'Less is better.'}
      </Text>
      {slices.length > 0 && (
        <>
          <Text mt="md" mb="xs" fw={600}>
            Where it is clearly worse than elsewhere
          </Text>
          <List label="Worst segments">
            {slices.map(({ column, segment, rowCount, error, errorElsewhere }) => (
              <ListLine
                key={`${column} ${segment}`}
                title={`${column}: ${segment}`}
                about={`${formatCount(rowCount)} rows`}
                figures={[
                  `${amount(error.value)} ${isMistakes ? 'wrong' : 'off'}`,
                  `${amount(errorElsewhere)} elsewhere`,
                ]}
              />
            ))}
          </List>
        </>
      )}
    </section>
  );
}
