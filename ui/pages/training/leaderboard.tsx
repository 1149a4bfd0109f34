// Every attempt of a training, best first. Failures are told too.
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { learnersQuery } from '../../api/queries.ts';
import type { Trial } from '../../api/types.ts';
import { formatCell, formatDuration, formatNumber, formatShare } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Okta } from '../../kit/okta.tsx';
import classes from './training.module.css';
import { mixtureOf, type Measure } from './trials.ts';

interface LeaderboardProps {
  trials: readonly Trial[];
  measure: Measure | undefined;
}

/** A table of trials; each opens to show what it was set to. */
export function Leaderboard({ trials, measure }: LeaderboardProps) {
  const learners = useQuery(learnersQuery).data?.learners ?? [];
  const learnerLabel = (name: string): string => learners.find((each) => each.name === name)?.label ?? name;
  const scores = trials.flatMap(({ score }) => (score === null ? [] : [score]));
  const { shareOf, stretch } = mixtureOf(trials);
  const showsShares = trials.some((trial) => shareOf(trial) > 0);
  const barOf = lengths(scores, measure);
  return (
    <>
      <div className={grid.scroll} tabIndex={0} role="region" aria-label="What was tried">
        <table className={grid.table}>
          <thead>
            <tr>
              <th scope="col">Attempt</th>
              <th scope="col" className={classes.scoreHead}>
                {measure?.label ?? 'Score'}
                <span className={grid.type}>
                  {measure?.greaterIsBetter === false ? 'less is better' : 'more is better'}
                </span>
              </th>
              {showsShares && (
                <th scope="col" data-number>
                  Share in the model
                </th>
              )}
              <th scope="col" data-number>
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            {trials.map((trial) => (
              <tr key={trial.id}>
                <td className={classes.attempt}>
                  <Attempt trial={trial} learnerLabel={learnerLabel(trial.learner)} />
                </td>
                <td>
                  <Score trial={trial} length={trial.score === null ? 0 : barOf(trial.score)} />
                </td>
                {showsShares && (
                  <td data-number>{shareOf(trial) > 0 ? formatShare(shareOf(trial), 0) : '–'}</td>
                )}
                <td data-number>{trial.state === 'running' ? '' : formatDuration(trial.seconds)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {stretch > 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          The model averages its parts by these shares. Averages lie a little too close to the middle, so it
          then moves each answer {formatShare(stretch)} further away from the baseline’s.
        </Text>
      )}
    </>
  );
}

function Attempt({ trial, learnerLabel }: { trial: Trial; learnerLabel: string }) {
  const settings = Object.entries(trial.hyperparameters);
  const title = (
    <>
      <b>{trial.label}</b>
      {trial.label !== learnerLabel && (
        <Text span size="xs" c="dimmed">
          {' '}
          {learnerLabel}
        </Text>
      )}
    </>
  );
  if (settings.length === 0 && !trial.judgedOn) return title;
  return (
    <details className={classes.details}>
      <summary>{title}</summary>
      <dl className={classes.settings}>
        {settings.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'object' ? JSON.stringify(value) : formatCell(value)}</dd>
          </div>
        ))}
        {trial.judgedOn && (
          <div>
            <dt>judged on</dt>
            <dd>
              {formatNumber(trial.judgedOn.rowCount)} rows, {trial.judgedOn.foldCount}{' '}
              {trial.judgedOn.foldCount === 1 ? 'fold' : 'folds'}
            </dd>
          </div>
        )}
        {trial.foldScores.length > 1 && (
          <div>
            <dt>by fold</dt>
            <dd>{trial.foldScores.map(formatNumber).join(', ')}</dd>
          </div>
        )}
      </dl>
    </details>
  );
}

function givenUp({ judgedOn }: Trial): string {
  if (!judgedOn) return 'Given up: far behind';
  return `Given up: behind after ${formatNumber(judgedOn.rowCount)} rows of one fold`;
}

function Score({ trial, length }: { trial: Trial; length: number }) {
  if (trial.state === 'running') {
    return (
      <span className={classes.running}>
        <Okta share={0.5} size={14} isLive /> running
      </span>
    );
  }
  if (trial.score === null) {
    return (
      <Text span size="sm" c="dimmed" className={classes.failure!}>
        {trial.problem ?? (trial.state === 'stopped' ? givenUp(trial) : 'Failed')}
      </Text>
    );
  }
  return (
    <span className={classes.score}>
      <span className={classes.number}>{formatNumber(trial.score)}</span>
      <span className={classes.track} aria-hidden>
        <span style={{ width: `${length}%` }} />
      </span>
      {trial.state === 'stopped' && (
        <Text span size="xs" c="dimmed">
          given up early
        </Text>
      )}
    </span>
  );
}

/**
 * Lengths of bars from poor (short) to best (full). A score far behind, such as the baseline's, does not count as the
 * short end: between the others small differences would vanish.
 */
function lengths(scores: readonly number[], measure: Measure | undefined): (score: number) => number {
  const sign = measure?.greaterIsBetter === false ? -1 : 1;
  const sorted = scores.map((score) => sign * score).toSorted((a, b) => b - a);
  const best = sorted[0] ?? 0;
  const middle = sorted[Math.floor(sorted.length / 2)] ?? best;
  const poor = Math.max(sorted.at(-1) ?? best, best - 3 * (best - middle));
  return (score) => {
    if (best === poor) return 100;
    return 6 + 94 * Math.max(0, (sign * score - poor) / (best - poor));
  };
}
