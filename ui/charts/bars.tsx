// Horizontal bars as plain HTML: names, bars, figures. A list to those who hear it.
import type { ReactNode } from 'react';
import classes from './bars.module.css';

interface Bar {
  name: string;
  value: number;
  /** The figure at the end. */
  text: ReactNode;
  /** Drawn in the accent colour; the others stay quiet. */
  isMarked?: boolean;
}

interface BarsProps {
  label: string;
  items: readonly Bar[];
  /** Length of a full bar; the largest value unless given. */
  maximum?: number;
  isDense?: boolean;
}

/** Bars, one below the other. */
export function Bars({ label, items, maximum, isDense = false }: BarsProps) {
  const full = maximum ?? Math.max(...items.map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  return (
    <ul className={classes.bars} data-dense={isDense || undefined} aria-label={label}>
      {items.map(({ name, value, text, isMarked = true }) => (
        <li key={name} className={classes.bar}>
          <span className={classes.name} title={name}>
            {name}
          </span>
          <span className={classes.track} aria-hidden>
            <span
              className={classes.fill}
              data-marked={isMarked || undefined}
              style={{ width: `${Math.min(100, (Math.abs(value) / full) * 100)}%` }}
            />
          </span>
          <span className={classes.text}>{text}</span>
        </li>
      ))}
    </ul>
  );
}
