// Cursors of listings: the id of the last item of a page, newest first; ids sort by time, so nothing
// else is needed. Logs that number their lines use the number.
import { Problem } from '../../base/problems.ts';

/** The id to continue after, from a cursor that a client sent back. Throws `invalid-request`. */
export function readCursor(cursor: string | undefined): string | undefined {
  return readAs(/^[a-z]+_[0-9a-z]{26}$/, cursor);
}

/** The same for listings in order of a sequence number. */
export function readSequenceCursor(cursor: string | undefined): number | undefined {
  const text = readAs(/^\d{1,15}$/, cursor);
  return text === undefined ? undefined : Number(text);
}

/**
 * Cuts `limit + 1` fetched rows to a page.
 * @param idOf what the next page continues after: the id (or sequence) of the last item shown.
 */
export function pageOf<Row, Item>(
  rows: Row[],
  limit: number,
  idOf: (row: Row) => string,
  show: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(show),
    nextCursor: rows.length > limit && last !== undefined ? idOf(last) : null,
  };
}

function readAs(form: RegExp, cursor: string | undefined): string | undefined {
  if (cursor === undefined || form.test(cursor)) return cursor;
  throw new Problem('invalid-request', 'The cursor is not one that this listing gave out.', {
    errors: [{ field: 'cursor', message: 'use nextCursor of the page before' }],
  });
}
