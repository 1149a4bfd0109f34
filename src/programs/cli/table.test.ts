import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { tableLines } from './table.ts';
import { cellWidth, clean } from './terminal.ts';

test('columns are aligned, numbers to the right, missing values empty', () => {
  const rows = [
    ['adult', 48_842, null],
    ['東京', 7, 'ready'],
  ];
  assert.deepEqual(tableLines(['name', 'rows', 'state'], rows), [
    'name    rows  state',
    'adult  48842',
    '東京       7  ready',
  ]);
});

test('lines fit the terminal, whatever the cells hold', () => {
  const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer(), fc.constant(null));
  const rows = fc.array(fc.tuple(cell, cell, cell), { maxLength: 8 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 30, max: 120 }), (cells, width) => {
      const lines = tableLines(['first', 'second', 'third'], cells, width);
      assert.equal(lines.length, cells.length + 1);
      for (const line of lines) assert.ok(cellWidth(line) <= width, line);
      // oxlint-disable-next-line no-control-regex -- none of them may reach a terminal
      for (const line of lines) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
});

test('escape sequences in data cannot act on the terminal', () => {
  assert.equal(clean('\u001b[2Jgone\r\n\u009b1A'), '␛[2Jgone␍␊␡1A');
});
