// Which rows a training used, in one line.
import type { z } from 'zod';
import type { rowCounts } from '../../contract/training.ts';

/** Such as "learned from 80000 of 100000 rows, judged by 20000"; a sample that was searched among is named. */
export function rowsInWords({ total, search, model, holdout }: z.output<typeof rowCounts>): string {
  const sampled = search < total && search !== model ? `, chosen by a search among ${search}` : '';
  return `learned from ${model} of ${total}${sampled}; judged by ${holdout}`;
}
