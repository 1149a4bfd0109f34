// One answer of a question, as a card that is a radio button.
import { Radio, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './train.module.css';

interface OptionCardProps {
  value: string;
  title: ReactNode;
  text: ReactNode;
}

/** Inside of a `Radio.Group`. */
export function OptionCard({ value, title, text }: OptionCardProps) {
  return (
    <Radio.Card value={value} className={classes.option!}>
      <Radio.Indicator className={classes.dot!} />
      <span>
        <Text span fw={600} display="block">
          {title}
        </Text>
        <Text span size="sm" c="dimmed" display="block">
          {text}
        </Text>
      </span>
    </Radio.Card>
  );
}
