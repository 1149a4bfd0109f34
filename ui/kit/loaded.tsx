// A query on the screen: its skeleton while it is on its way, its problem when it failed, its data otherwise.
import { Skeleton, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { ProblemAlert } from './problem.tsx';

/** What is used of a query's result, paged or not. */
export interface QueryState<Data> {
  data: Data | undefined;
  error: Error | null;
  refetch: () => unknown;
}

interface LoadedProps<Data> {
  query: QueryState<Data>;
  /** What stands in for the data; a few lines unless given. */
  skeleton?: ReactNode;
  children: (data: Data) => ReactNode;
}

/** Shows `children` with the data of `query` as soon as there is some; old data stays while new data loads. */
export function Loaded<Data>({ query, skeleton, children }: LoadedProps<Data>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ProblemAlert error={query.error} onRetry={() => query.refetch()} />;
  return (
    <div role="status" aria-label="Loading">
      {skeleton ?? <Lines />}
    </div>
  );
}

/** Grey lines where text will be. */
export function Lines({ count = 4 }: { count?: number }) {
  return (
    <Stack gap="sm">
      {Array.from({ length: count }, (_, index) => (
        <Skeleton key={index} height={18} width={`${90 - ((index * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}

/** Grey blocks where cards will be. */
export function Blocks({ count = 3, height = 96 }: { count?: number; height?: number }) {
  return (
    <Stack gap="md">
      {Array.from({ length: count }, (_, index) => (
        <Skeleton key={index} height={height} radius="lg" />
      ))}
    </Stack>
  );
}
