// Tables of text: columns aligned, numbers to the right, cut to the width of the terminal. And lists of properties.
import { cellWidth, clean, lineWidth, print, styled } from './terminal.ts';

/** What a cell may hold; null and undefined are shown as nothing. */
export type Cell = string | number | boolean | null | undefined;

/** Prints rows under their headings, or `whenEmpty` when there are none. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  whenEmpty: string,
): void {
  if (rows.length === 0) return print(styled('dim', whenEmpty));
  const [heading, ...lines] = tableLines(headings, rows, lineWidth(process.stdout));
  print(styled('bold', heading!));
  for (const line of lines) print(line);
}

/** Prints `name  value` lines with the values below each other; a property without a value is left out. */
export function printProperties(properties: readonly (readonly [name: string, value: Cell])[]): void {
  const shown = properties.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  for (const [name, value] of shown) print(`${styled('dim', name.padEnd(width))}  ${clean(String(value))}`);
}

/** The lines of a table, its heading first; `widthLimit` in cells, where lines must not wrap. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  widthLimit?: number,
): string[] {
  const cells = rows.map((row) => headings.map((_, column) => textOf(row[column])));
  const isNumeric = headings.map((_, column) =>
    rows.every((row) => row[column] === null || row[column] === undefined || typeof row[column] === 'number'),
  );
  const widths = headings.map((heading, column) =>
    Math.max(cellWidth(heading), ...cells.map((row) => cellWidth(row[column]!))),
  );
  if (widthLimit !== undefined) narrow(widths, widthLimit);
  return [headings, ...cells].map((row) =>
    row
      .map((text, column) => pad(cut(text, widths[column]!), widths[column]!, isNumeric[column]!))
      .join('  ')
      .trimEnd(),
  );
}

/** Takes cells from the widest column until the line fits; no column goes below eight. */
function narrow(widths: number[], widthLimit: number): void {
  const total = (): number => widths.reduce((sum, width) => sum + width + 2, -2);
  for (let widest; total() > widthLimit && (widest = Math.max(...widths)) > 8;) {
    widths[widths.indexOf(widest)] = widest - 1;
  }
}

function textOf(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  return clean(String(cell));
}

function cut(text: string, width: number): string {
  if (cellWidth(text) <= width) return text;
  let kept = '';
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    if (cellWidth(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, toTheRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - cellWidth(text)));
  return toTheRight ? space + text : text + space;
}
