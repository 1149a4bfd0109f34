// States of jobs, trainings and dataset versions as a circle and a word.
import { Group, Text } from '@mantine/core';
import type { JobState } from '../api/types.ts';
import { Okta } from './okta.tsx';

type AnyState = JobState | 'importing' | 'ready' | 'empty';

const words: Record<AnyState, string> = {
  queued: 'Waiting',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  importing: 'Importing',
  ready: 'Ready',
  empty: 'Nothing deployed',
};

/** The circle of a state; `share` says how far a running one is. */
export function StateMark({
  state,
  share = 0,
  size = 18,
}: {
  state: AnyState;
  share?: number;
  size?: number;
}) {
  if (state === 'failed') return <Okta kind="failed" size={size} />;
  if (state === 'cancelled') return <Okta kind="cancelled" size={size} />;
  if (state === 'succeeded' || state === 'ready') return <Okta share={1} size={size} />;
  const isLive = state === 'running' || state === 'importing';
  return <Okta share={isLive ? Math.max(0.125, share) : 0} isLive={isLive} size={size} />;
}

/** The circle with its word. */
export function State({ state, share }: { state: AnyState; share?: number }) {
  return (
    <Group gap={8} wrap="nowrap" component="span">
      <StateMark state={state} {...(share !== undefined && { share })} size={15} />
      <Text span size="sm">
        {words[state]}
      </Text>
    </Group>
  );
}
