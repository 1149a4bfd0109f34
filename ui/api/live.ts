// Live events as React state. The SDK keeps the stream alive across cuts and resumes it; here it is tied to a
// component's life, and what arrives in one frame is shown in one go.
import { useEffect, useState } from 'react';
import { client } from './client.ts';
import type { JobEvent } from './types.ts';

/** What is known of a stream: every event so far, and the error that ended it, if one did. */
export interface LiveEvents {
  events: readonly JobEvent[];
  error: unknown;
}

const nothing: LiveEvents = { events: [], error: undefined };

/** The events of a job while `isWatched`; those that happened before are told first. */
export function useJobEvents(jobId: string, isWatched: boolean): LiveEvents {
  return useLive(jobId, isWatched, (signal) => client.watchJob({ jobId }, { signal }));
}

/** The events of a training while `isWatched`; those that happened before are told first. */
export function useTrainingEvents(trainingId: string, isWatched: boolean): LiveEvents {
  return useLive(trainingId, isWatched, (signal) => client.watchTraining({ trainingId }, { signal }));
}

function useLive(
  id: string,
  isWatched: boolean,
  watch: (signal: AbortSignal) => AsyncIterable<JobEvent>,
): LiveEvents {
  const [state, setState] = useState<LiveEvents & { id: string }>({ ...nothing, id });
  useEffect(() => {
    if (!isWatched) return undefined;
    const stop = new AbortController();
    void follow(watch(stop.signal), stop.signal, {
      onEvents: (events) => setState({ id, events, error: undefined }),
      onError: (error) => setState((before) => ({ ...before, id, error })),
    });
    return () => stop.abort();
    // `watch` is made anew on each render and depends on `id` alone.
  }, [id, isWatched]);
  return state.id === id ? state : nothing;
}

interface Listener {
  onEvents(events: readonly JobEvent[]): void;
  onError(error: unknown): void;
}

async function follow(
  source: AsyncIterable<JobEvent>,
  signal: AbortSignal,
  { onEvents, onError }: Listener,
): Promise<void> {
  let events: JobEvent[] = [];
  let frame: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    frame = undefined;
    if (!signal.aborted) onEvents(events);
  };
  try {
    for await (const event of source) {
      events = [...events, event];
      frame ??= setTimeout(flush, 60);
    }
  } catch (error) {
    if (!signal.aborted) onError(error);
  } finally {
    clearTimeout(frame);
    flush();
  }
}
