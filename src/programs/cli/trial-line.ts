// A trial that ended, as one line above the progress bar; the same for local fits and trainings on a server.
import type { JsonObject } from '../../base/json.ts';
import type { trial } from '../../contract/training.ts';
import type { z } from 'zod';
import { styled } from './terminal.ts';
import { durationInWords, scoreInWords } from './words.ts';

type Trial = z.infer<typeof trial>;

/** The line for an event, or undefined where it tells of no trial that ended. */
export function trialLine({
  name,
  data,
}: {
  name: string;
  data: JsonObject | Record<string, unknown>;
}): string | undefined {
  if (name !== 'trial-finished') return undefined;
  const { label = '', score, seconds, state, problem } = (data['trial'] ?? {}) as Partial<Trial>;
  const outcome =
    typeof score === 'number'
      ? scoreInWords(score)
      : styled('yellow', problem ?? state ?? 'no score', process.stderr);
  const time =
    typeof seconds === 'number' ? styled('dim', durationInWords(seconds).padStart(8), process.stderr) : '';
  return `  ${label.padEnd(48)} ${outcome.padEnd(8)} ${time}`.trimEnd();
}
