// What a place says while nothing is in it: what will be here, and the one thing to do.
import { Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './empty.module.css';
import { OktaRow } from './okta.tsx';

interface EmptyProps {
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** An empty place. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <OktaRow size={16} />
      <Title order={2} size="h3" mt="lg">
        {title}
      </Title>
      <Text c="dimmed" maw={460} mt={6}>
        {children}
      </Text>
      {action && <div className={classes.action}>{action}</div>}
    </div>
  );
}
