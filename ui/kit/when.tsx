// A moment in time: how long ago, with the exact time on demand.
import { useEffect, useState } from 'react';
import { formatAgo, formatTime } from './format.ts';

/** `3 minutes ago`, kept right while the page is open. */
export function When({ iso }: { iso: string }) {
  const nowMs = useNow(30_000);
  return (
    <time dateTime={iso} title={formatTime(iso)}>
      {formatAgo(iso, nowMs)}
    </time>
  );
}

/** The present, renewed every `everyMs`; a paused one (`null`) stands still. */
export function useNow(everyMs: number | null): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === null) return undefined;
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
