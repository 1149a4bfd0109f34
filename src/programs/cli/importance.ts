// The importance of columns as a table.
import { printTable } from './table.ts';
import { scoreInWords } from './words.ts';

/** Prints columns by how much a model leans on them, at most `limit` of them. */
export function printImportance(
  importance: readonly { column: string; importance: number }[],
  limit = Infinity,
): void {
  printTable(
    ['column', 'importance'],
    importance
      .toSorted((a, b) => b.importance - a.importance)
      .slice(0, limit)
      .map(({ column, importance: value }) => [column, Number(scoreInWords(value))]),
    'How much each column matters was not measured.',
  );
}
