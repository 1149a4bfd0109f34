// The answers and every column, those that moved most first: how values were spread before, and are now.
import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import type { MonitorDetails } from '../../api/types.ts';
import { PairHistogram } from '../../charts/pair-histogram.tsx';
import { formatDate, formatNumber, formatShare } from '../../kit/format.ts';
import classes from './monitoring.module.css';

type Column = MonitorDetails['columns'][number];
type Drift = NonNullable<Column['drift']>;

const shownAtFirst = 12;
/** Of those that count for the answers. */
const listedColumns = 6;

/** What is said of a level. */
const levelWords = {
  unclear: 'too few to tell',
  same: 'as before',
  little: 'moved a little',
  lot: 'moved a lot',
} as const;

/** Cards of columns. */
export function MonitorColumns({
  details,
  excluded,
}: {
  details: MonitorDetails;
  excluded: readonly string[];
}) {
  const [showsAll, setShowsAll] = useState(false);
  const { columns, answers, attributions } = details;
  const shown = showsAll ? columns : columns.slice(0, shownAtFirst);
  const isTraining = details.comparedWith.kind === 'training';
  return (
    <section>
      <h2 className={classes.title}>Column by column</h2>
      <p className={classes.legend}>
        <span>
          <span className={classes.before} aria-hidden />
          {isTraining ? 'what the model learned from' : 'the window before'}
        </span>
        <span>
          <span className={classes.now} aria-hidden />
          what was asked in this window
        </span>
      </p>
      <ul className={classes.columns}>
        {answers && (
          <li className={classes.column} data-level={answers.level} data-answers>
            <Head name="The answers" level={levelWords[answers.level]} />
            <Spread name="The answers" drift={answers} />
          </li>
        )}
        {attributions && <Counting attributions={attributions} />}
        {shown.map((column) => (
          <li key={column.column} className={classes.column} data-level={column.drift?.level}>
            <Head
              name={column.column}
              level={
                excluded.includes(column.column)
                  ? 'may move'
                  : column.drift
                    ? levelWords[column.drift.level]
                    : 'nothing to compare with'
              }
            />
            {column.drift && (
              <Spread name={column.column} drift={column.drift} isDate={column.kind === 'date'} />
            )}
            {column.kind === 'text' && (
              <Text size="xs" c="dimmed">
                How long the texts are
              </Text>
            )}
            {oddities(column).map((words) => (
              <Text key={words} size="sm">
                {words}
              </Text>
            ))}
          </li>
        ))}
      </ul>
      {columns.length > shownAtFirst && (
        <Button mt="md" size="xs" variant="subtle" onClick={() => setShowsAll(!showsAll)}>
          {showsAll ? 'Show fewer columns' : `Show all ${columns.length} columns`}
        </Button>
      )}
    </section>
  );
}

function Head({ name, level }: { name: string; level: string }) {
  return (
    <div className={classes.head}>
      <strong title={name}>{name}</strong>
      <span className={classes.level}>{level}</span>
    </div>
  );
}

/** The columns that the answers come from, as far as they are worth a line. */
function Counting({ attributions }: { attributions: NonNullable<MonitorDetails['attributions']> }) {
  const { level, distance, columns } = attributions;
  const listed = columns.slice(0, listedColumns);
  return (
    <li className={classes.column} data-level={level} data-answers>
      <Head name="What counts for the answers" level={levelWords[level]} />
      <PairHistogram
        label={`What counts for the answers: ${formatShare(distance)} has gone to other columns`}
        before={listed.map(({ reference }) => reference)}
        now={listed.map(({ current }) => current)}
        names={listed.map(({ column }) => column)}
      />
      {level !== 'unclear' && (
        <Text size="sm">{formatShare(distance)} of it comes from other columns than before</Text>
      )}
    </li>
  );
}

function Spread({ name, drift, isDate = false }: { name: string; drift: Drift; isDate?: boolean }) {
  const { edges, values, hasOthers, reference, current } = drift.distribution;
  const isEmpty = reference.length === 0 || (edges?.length === 0 && values === null);
  if (isEmpty) return null;
  const shownCount = values && !hasOthers ? values.length : reference.length;
  const amount = (value: number): string =>
    isDate ? formatDate(new Date(value).toISOString()) : formatNumber(value);
  const names = values
    ? [...values, ...(hasOthers ? ['others'] : [])]
    : [`up to ${amount(edges![0]!)}`, `above ${amount(edges!.at(-1)!)}`];
  return (
    <PairHistogram
      label={`${name}: ${levelWords[drift.level]}, stability index ${drift.psi.toFixed(2)}`}
      before={reference.slice(0, shownCount)}
      now={current.slice(0, shownCount)}
      names={names}
    />
  );
}

/** From this share on, odd values are spoken of. */
const spokenOf = 0.005;

/** What is wrong with the values of a column, in words. */
function oddities({ quality }: Column): string[] {
  const { missingShare, referenceMissingShare, invalidShare, outsideShare, unseenShare } = quality;
  const words: string[] = [];
  if (missingShare - referenceMissingShare >= spokenOf)
    words.push(`${formatShare(missingShare)} missing (before: ${formatShare(referenceMissingShare)})`);
  if (invalidShare >= spokenOf) words.push(`${formatShare(invalidShare)} not valid`);
  if ((outsideShare ?? 0) >= spokenOf) words.push(`${formatShare(outsideShare!)} outside of all seen before`);
  if ((unseenShare ?? 0) >= spokenOf)
    words.push(
      `${formatShare(unseenShare!)} new values: ${quality.unseenValues.map((value) => `“${value}”`).join(', ')}`,
    );
  return words;
}
