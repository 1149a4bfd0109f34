// A few figures side by side, each with what it is.
import type { ReactNode } from 'react';
import classes from './facts.module.css';

/** One figure. */
export interface Fact {
  label: string;
  value: ReactNode;
  /** A word more, below the figure. */
  note?: ReactNode;
}

/** Figures in a row that wraps. */
export function Facts({ items }: { items: readonly Fact[] }) {
  return (
    <dl className={classes.facts}>
      {items.map(({ label, value, note }) => (
        <div key={label} className={classes.fact}>
          <dt>{label}</dt>
          <dd>
            <span className={classes.value}>{value}</span>
            {note && <span className={classes.note}>{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
