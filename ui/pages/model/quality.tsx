// How good a model is in figures and drawings: for classes and for numbers.
import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { learnersQuery } from '../../api/queries.ts';
import type { Evaluation, ModelVersion } from '../../api/types.ts';
import { Empty } from '../../kit/empty.tsx';
import { formatNumber } from '../../kit/format.ts';
import { Section } from '../../kit/page.tsx';
import classes from './model.module.css';
import { ClassQuality } from './quality-classes.tsx';
import { NumberQuality } from './quality-numbers.tsx';

/** The tab of quality. */
export function Quality({ version }: { version: ModelVersion }) {
  const { evaluation } = version;
  if (!evaluation) {
    return (
      <Empty title="Not measured">This file came without an evaluation. Train it here to get one.</Empty>
    );
  }
  return (
    <Stack gap={48}>
      {evaluation.task === 'regression' && <NumberQuality evaluation={evaluation} target={version.target} />}
      {(evaluation.task === 'binary' || evaluation.task === 'multiclass') && (
        <ClassQuality evaluation={evaluation} target={version.target} />
      )}
      <Metrics evaluation={evaluation} chosen={version.metric} />
    </Stack>
  );
}

function Metrics({ evaluation, chosen }: { evaluation: Evaluation; chosen: string }) {
  const catalogue = useQuery(learnersQuery).data?.metrics ?? [];
  const entries = Object.entries(evaluation.metrics);
  return (
    <Section title="All measures" description="On the rows that were locked away.">
      <dl className={classes.metrics}>
        {entries.map(([name, value]) => {
          const known = catalogue.find((metric) => metric.name === name);
          return (
            <div key={name}>
              <dt>
                {known?.label ?? name}
                {name === chosen && ' (trained for this)'}
              </dt>
              <dd>
                <span className={classes.metricValue}>{formatNumber(value)}</span>
                <span className={classes.metricWords}>{known?.plainWords}</span>
              </dd>
            </div>
          );
        })}
      </dl>
    </Section>
  );
}
