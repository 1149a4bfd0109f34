// One question of the set-up with its number.
import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './train.module.css';

interface QuestionProps {
  number: number;
  title: string;
  children: ReactNode;
}

/** A question and what answers it. */
export function Question({ number, title, children }: QuestionProps) {
  return (
    <section className={classes.question} aria-labelledby={`question-${number}`}>
      <span className={classes.number} aria-hidden>
        {number}
      </span>
      <div className={classes.answer}>
        <Title order={2} id={`question-${number}`} mb="md">
          {title}
        </Title>
        {children}
      </div>
    </section>
  );
}
