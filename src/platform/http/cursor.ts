// Cursors of listings: the id of the last item of a page, newest first. Ids sort by time, so nothing else is needed.
import { Problem } from '../../base/problems.ts';

/** The id to continue after, from a cursor that a client sent back. */
export function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  if (!/^[a-z]+_[0-9a-z]{26}$|^\d{1,16}$/.test(cursor)) {
    throw new Problem('invalid-request', 'The cursor is not one that this API gave out.', {
      errors: [{ field: 'cursor', message: 'use nextCursor of the page before' }],
    });
  }
  return cursor;
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
