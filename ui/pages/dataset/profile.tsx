// What each column holds, as cards. A thousand columns are shown as one scrolls, and found by typing.
import { Group, NativeSelect, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import type { ColumnProfile, DatasetProfile, DatasetVersion } from '../../api/types.ts';
import { Bars } from '../../charts/bars.tsx';
import { Histogram } from '../../charts/histogram.tsx';
import {
  formatCompact,
  formatCount,
  formatCountOf,
  formatDate,
  formatNumber,
  formatShare,
} from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { roleWords } from '../data/column-types.ts';
import classes from './dataset.module.css';
import { Described } from './described.tsx';

const cardsPerStep = 48;

const orders = {
  file: 'As in the file',
  name: 'By name',
  missing: 'Most missing first',
  distinct: 'Most different values first',
  warnings: 'With warnings first',
} as const;
type Order = keyof typeof orders;

/** The tab of columns. */
export function Profile({ version }: { version: DatasetVersion }) {
  return (
    <Described version={version} skeleton={{ count: 3, height: 200 }}>
      {(data) => <Cards profile={data} />}
    </Described>
  );
}

function Cards({ profile }: { profile: DatasetProfile }) {
  const [text, setText] = useState('');
  const [role, setRole] = useState('');
  const [order, setOrder] = useState<Order>('file');
  const [needle] = useDebouncedValue(text.trim().toLowerCase(), 120);
  const warned = new Set(profile.warnings.flatMap(({ columns }) => columns));
  const found = profile.columns
    .filter((column) => (role === '' || column.role === role) && column.name.toLowerCase().includes(needle))
    .toSorted(comparison(order, warned));
  const [step, setStep] = useState(1);
  const shown = found.slice(0, step * cardsPerStep);
  const roles = new Set(profile.columns.map((column) => column.role));
  return (
    <div>
      <Group mb="lg" gap="sm" align="flex-end">
        <TextInput
          className={classes.search}
          aria-label="Find a column"
          placeholder="Find a column"
          leftSection={<Icon name="search" size={16} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <NativeSelect
          aria-label="Kind of column"
          value={role}
          onChange={(event) => setRole(event.currentTarget.value)}
          data={[
            { value: '', label: 'Every kind' },
            ...[...roles].map((value) => ({ value, label: roleWords[value] })),
          ]}
        />
        <NativeSelect
          aria-label="Order"
          value={order}
          onChange={(event) => setOrder(event.currentTarget.value as Order)}
          data={Object.entries(orders).map(([value, label]) => ({ value, label }))}
        />
        <Text size="sm" c="dimmed" role="status" py={8}>
          {formatCountOf(found.length, 'column')}
          {profile.sampledRowCount !== null && `, measured on ${formatCount(profile.sampledRowCount)} rows`}
        </Text>
      </Group>
      <ul className={classes.cards}>
        {shown.map((column) => (
          <ColumnCard
            key={column.name}
            column={column}
            rowCount={profile.rowCount}
            warnings={profile.warnings.filter(({ columns }) => columns.includes(column.name))}
          />
        ))}
      </ul>
      {found.length === 0 && <Text c="dimmed">No column has that in its name.</Text>}
      {shown.length < found.length && <More key={shown.length} onSeen={() => setStep(step + 1)} />}
    </div>
  );
}

interface ColumnCardProps {
  column: ColumnProfile;
  rowCount: number;
  warnings: DatasetProfile['warnings'];
}

function ColumnCard({ column, rowCount, warnings }: ColumnCardProps) {
  const { name, role, missingCount, distinctCount } = column;
  const missingShare = rowCount === 0 ? 0 : missingCount / rowCount;
  return (
    <li className={`card ${classes.column}`}>
      <div className={classes.columnHead}>
        <h2 className={classes.columnName} title={name}>
          {name}
        </h2>
        <span className={classes.role}>{roleWords[role]}</span>
      </div>
      <Text size="xs" c="dimmed">
        {formatCountOf(distinctCount, 'different value')}
        {missingCount > 0 ? `, ${formatShare(missingShare)} missing` : ', none missing'}
      </Text>
      <div className={classes.missing} aria-hidden>
        <span style={{ width: `${(1 - missingShare) * 100}%` }} />
      </div>
      <div className={classes.drawing}>
        <Distribution column={column} rowCount={rowCount} />
      </div>
      {warnings.map(({ code, message }) => (
        <p key={code} className={classes.columnWarning}>
          <Icon name="alert" size={14} /> {message}
        </p>
      ))}
    </li>
  );
}

function Distribution({ column, rowCount }: { column: ColumnProfile; rowCount: number }) {
  const { name, numeric, histogram, range, topValues } = column;
  const showsValues =
    topValues.length > 0 && (column.role === 'categorical' || column.role === 'boolean' || !histogram);
  if (showsValues) {
    return (
      <Bars
        isDense
        label={`Most frequent values of ${name}`}
        maximum={rowCount}
        items={topValues.slice(0, 5).map(({ value, count }) => ({
          name: value,
          value: count,
          text: formatShare(count / Math.max(1, rowCount)),
        }))}
      />
    );
  }
  if (histogram && range) {
    return (
      <Histogram
        label={`${name}: from ${formatDate(range.earliest)} to ${formatDate(range.latest)}`}
        counts={histogram.counts}
        ends={[formatDate(range.earliest), formatDate(range.latest)]}
      />
    );
  }
  if (histogram && numeric) {
    const median = numeric.quantiles.find(({ share }) => share === 0.5)?.value;
    return (
      <>
        <Histogram
          label={`${name}: from ${formatNumber(numeric.minimum)} to ${formatNumber(numeric.maximum)}, average ${formatNumber(numeric.mean)}`}
          counts={histogram.counts}
          ends={[formatNumber(numeric.minimum), formatNumber(numeric.maximum)]}
        />
        <Text size="xs" c="dimmed" mt={6}>
          Average {formatNumber(numeric.mean)}
          {median !== undefined && `, median ${formatNumber(median)}`}, spread{' '}
          {formatNumber(numeric.standardDeviation)}
        </Text>
      </>
    );
  }
  if (histogram) {
    const longest = histogram.edges.at(-1) ?? 0;
    return (
      <Histogram
        label={`Lengths of the texts in ${name}`}
        counts={histogram.counts}
        ends={[`${formatCompact(histogram.edges[0] ?? 0)} letters`, `${formatCompact(longest)} letters`]}
      />
    );
  }
  return (
    <Text size="sm" c="dimmed">
      Nothing to draw.
    </Text>
  );
}

/** Stands at the end of the list and asks for more when it comes into view. */
function More({ onSeen }: { onSeen: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) onSeen();
      },
      { rootMargin: '600px' },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
    // Made anew for every step, so the first `onSeen` is the right one.
  }, []);
  return <div ref={place} style={{ height: 1 }} aria-hidden />;
}

function comparison(
  order: Order,
  warned: ReadonlySet<string>,
): (a: ColumnProfile, b: ColumnProfile) => number {
  switch (order) {
    case 'file':
      return () => 0;
    case 'name':
      return (a, b) => a.name.localeCompare(b.name);
    case 'missing':
      return (a, b) => b.missingCount - a.missingCount;
    case 'distinct':
      return (a, b) => b.distinctCount - a.distinctCount;
    case 'warnings':
      return (a, b) => Number(warned.has(b.name)) - Number(warned.has(a.name));
    default:
      throw order satisfies never;
  }
}
