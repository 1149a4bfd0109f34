// What happened in a training, line by line, for those who want to know.
import type { JobEvent } from '../../api/types.ts';
import { formatNumber } from '../../kit/format.ts';
import classes from './training.module.css';
import { trialIn } from './trials.ts';

const shownLimit = 300;
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** Folded until it is asked for. */
export function EventLog({ events }: { events: readonly JobEvent[] }) {
  const lines = events.flatMap((event) => {
    const words = wordsOf(event);
    return words === undefined ? [] : [{ key: event.sequence, at: event.at, words }];
  });
  if (lines.length === 0) return null;
  return (
    <details className={classes.log}>
      <summary>What happened, step by step</summary>
      <ol className={classes.lines} tabIndex={0} aria-label="Events">
        {lines.slice(-shownLimit).map(({ key, at, words }) => (
          <li key={key}>
            <time dateTime={at}>{clock.format(new Date(at))}</time>
            <span>{words}</span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function wordsOf(event: JobEvent): string | undefined {
  const trial = trialIn(event);
  if (trial && event.name === 'trial-started') return `Trying ${trial.label}`;
  if (trial) {
    const outcome = trial.score === null ? (trial.problem ?? trial.state) : formatNumber(trial.score);
    return `${trial.label}: ${outcome}`;
  }
  if (event.name === 'stage' && typeof event.data['message'] === 'string') return event.data['message'];
  if (event.name === 'state') return `State: ${String(event.data['state'])}`;
  return undefined;
}
