// How groups of people are treated, for each protected column, with the range that chance leaves open.
import { Stack, Text } from '@mantine/core';
import type { Evaluation } from '../../api/types.ts';
import { formatCount, formatNumber } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Icon } from '../../kit/icons.tsx';
import { Section } from '../../kit/page.tsx';
import classes from './model.module.css';
import { segmentWords } from './words.ts';

type Report = NonNullable<Evaluation['trust']>['fairness'][number];
type Group = Report['groups'][number];
type Measure = Exclude<keyof Group, 'condition' | 'rowCount'>;

const measures: readonly { name: Measure; label: string; isShare: boolean }[] = [
  { name: 'selectionRate', label: 'Chosen', isShare: true },
  { name: 'selectionRatio', label: 'Against the most chosen', isShare: true },
  { name: 'truePositiveRate', label: 'Rightly found', isShare: true },
  { name: 'falsePositiveRate', label: 'Wrongly chosen', isShare: true },
  { name: 'calibrationGap', label: 'Probability too high by', isShare: true },
  { name: 'accuracy', label: 'Right', isShare: true },
  { name: 'meanError', label: 'Too high by', isShare: false },
  { name: 'meanDistance', label: 'Off by', isShare: false },
];

/** The section of fairness. */
export function Fairness({ reports }: { reports: readonly Report[] }) {
  return (
    <Section
      title="How it treats groups"
      description={
        reports.length === 0
          ? 'No column was named to compare groups by. A training can be told to: “Is there anything it must keep to?”'
          : 'Small figures are the range that chance leaves open. What differs may have reasons; what is fair, people decide.'
      }
    >
      {reports.map((report) => (
        <Groups key={report.column} report={report} />
      ))}
    </Section>
  );
}

function Groups({ report: { column, groups, leftOut } }: { report: Report }) {
  const shown = measures.filter(({ name }) => groups.some((group) => group[name] !== undefined));
  const below = groups.filter(({ selectionRatio }) => selectionRatio?.isBelowFourFifths);
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>
        {column}
      </Text>
      {below.length > 0 && (
        <p className={classes.flag}>
          <Icon name="alert" size={16} /> Chosen less than four fifths as often as the most chosen group:{' '}
          {below.map(({ condition }) => segmentWords(condition)).join(', ')}.
        </p>
      )}
      <div className={grid.scroll} tabIndex={0} role="region" aria-label={`Groups by ${column}`}>
        <table className={grid.table}>
          <thead>
            <tr>
              <th scope="col">Group</th>
              <th scope="col" data-number>
                Rows
              </th>
              {shown.map(({ name, label }) => (
                <th key={name} scope="col" data-number>
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <tr key={segmentWords(group.condition)}>
                <td>{segmentWords(group.condition)}</td>
                <td data-number>{formatCount(group.rowCount)}</td>
                {shown.map(({ name, isShare }) => (
                  <td key={name} data-number>
                    <Figure share={group[name]} isShare={isShare} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {leftOut > 0 && (
        <Text size="sm" c="dimmed">
          {leftOut === 1 ? 'One group is' : `${leftOut} groups are`} too small to say anything of.
        </Text>
      )}
    </Stack>
  );
}

function Figure({ share, isShare }: { share: Group['accuracy']; isShare: boolean }) {
  if (!share) return <>—</>;
  const text = (value: number): string =>
    isShare ? `${formatNumber(Number((value * 100).toFixed(1)))}%` : formatNumber(value);
  return (
    <span className={classes.figure}>
      {text(share.value)}
      <small>
        {text(share.lower)} to {text(share.upper)}
      </small>
    </span>
  );
}
