// The way to the next page of a list.
import { Button, Group } from '@mantine/core';

interface MoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  label: string;
}

/** A button while there is more; nothing afterwards. */
export function More({ query, label }: MoreProps) {
  if (!query.hasNextPage) return null;
  return (
    <Group mt="md">
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => query.fetchNextPage()}>
        {label}
      </Button>
    </Group>
  );
}
