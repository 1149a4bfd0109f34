// The names of a page's tabs. What does not fit is scrolled sideways, and the one that is shown is brought into view.
import { Tabs } from '@mantine/core';
import { useEffect, useRef } from 'react';
import classes from './tab-list.module.css';

/** `tabs` are names by value, in their order; `shown` is the value of one of them. */
export function TabList({ tabs, shown }: { tabs: Readonly<Record<string, string>>; shown: string }) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tab = list.current?.querySelector('[aria-selected="true"]');
    tab?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [shown]);
  return (
    <Tabs.List mb="xl" className={classes.list} ref={list}>
      {Object.entries(tabs).map(([value, label]) => (
        <Tabs.Tab key={value} value={value}>
          {label}
        </Tabs.Tab>
      ))}
    </Tabs.List>
  );
}
