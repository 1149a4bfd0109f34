// A page's frame: its title (also the tab's), where it stands, what can be done on it.
import { Anchor, Group, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { Fragment, type ReactNode } from 'react';
import { Link } from 'react-router';
import classes from './page.module.css';

interface PageProps {
  title: string;
  /** What stands before the title, such as a state's sign. */
  mark?: ReactNode;
  /** Pages above this one. */
  trail?: readonly { label: string; to: string }[];
  description?: ReactNode;
  actions?: ReactNode;
  /** Reading width for forms and text, wide for tables. */
  width?: 'narrow' | 'wide';
  children: ReactNode;
}

/** One page. */
export function Page({ title, mark, trail, description, actions, width = 'wide', children }: PageProps) {
  useDocumentTitle(`${title} · Pilvi`);
  return (
    <div className={classes.page} data-width={width}>
      <header className={classes.header}>
        <div className={classes.heading}>
          {trail && (
            <nav className={classes.trail} aria-label="Above this page">
              {trail.map(({ label, to }) => (
                <Fragment key={to}>
                  <Anchor component={Link} to={to} size="sm">
                    {label}
                  </Anchor>
                  <span aria-hidden>/</span>
                </Fragment>
              ))}
            </nav>
          )}
          <Group gap="sm" wrap="nowrap" align="center">
            {mark}
            <Title order={1} className={classes.title}>
              {title}
            </Title>
          </Group>
          {description && (
            <Text c="dimmed" mt={4} maw={700} component="div">
              {description}
            </Text>
          )}
        </div>
        {actions && (
          <Group gap="sm" className={classes.actions}>
            {actions}
          </Group>
        )}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  title: string;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** A part of a page under its own heading. */
export function Section({ title, description, actions, children }: SectionProps) {
  return (
    <Stack component="section" gap="md" className={classes.section}>
      <Group justify="space-between" align="flex-end" gap="sm">
        <div>
          <Title order={2}>{title}</Title>
          {description && (
            <Text c="dimmed" size="sm" maw={700} component="div">
              {description}
            </Text>
          )}
        </div>
        {actions}
      </Group>
      {children}
    </Stack>
  );
}
