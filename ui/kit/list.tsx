// A list of things: each a line with its sign, its name, a word about it, and figures at the end.
import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import classes from './list.module.css';

/** The list. */
export function List({ children, label }: { children: ReactNode; label: string }) {
  return (
    <ul className={classes.list} aria-label={label}>
      {children}
    </ul>
  );
}

interface ListLineProps {
  /** Where a click leads; a line without it is text. */
  to?: string | undefined;
  mark?: ReactNode;
  title: ReactNode;
  about?: ReactNode;
  /** Figures, right aligned; the less important ones vanish first on narrow screens. */
  figures?: readonly ReactNode[];
  actions?: ReactNode;
}

/** One line of a list. */
export function ListLine({ to, mark, title, about, figures = [], actions }: ListLineProps) {
  return (
    <li className={classes.line} data-link={to !== undefined || undefined}>
      {mark && <span className={classes.mark}>{mark}</span>}
      <span className={classes.text}>
        {to === undefined ? (
          <span className={classes.title}>{title}</span>
        ) : (
          <Link to={to} className={classes.title}>
            {title}
          </Link>
        )}
        {about && (
          <Text span size="sm" c="dimmed" className={classes.about!}>
            {about}
          </Text>
        )}
      </span>
      {figures.length > 0 && (
        <span className={classes.figures}>
          {figures.map((figure, index) => (
            <span key={index} className={classes.figure}>
              {figure}
            </span>
          ))}
        </span>
      )}
      {actions && <span className={classes.actions}>{actions}</span>}
    </li>
  );
}
