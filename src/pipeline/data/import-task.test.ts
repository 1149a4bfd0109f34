import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { suite, test } from 'node:test';
import { Problem, type ProblemCode } from '../../base/problems.ts';
import { importBytes, parquetOf, previewBytes } from './import-task.fixture.ts';

/** Checks that `work` ends in the problem, told in words that hold none of the server's paths. */
async function refused(work: Promise<unknown>, code: ProblemCode, detail: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof Problem, String((error as Error).stack));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, detail);
    assert.doesNotMatch(error.message, /\/tmp|pilvi-import|read_csv|DuckDB|strict_mode/);
    return true;
  });
}

const typesOf = ({ columns }: { columns: { type: string }[] }): string[] => columns.map(({ type }) => type);

suite('files that cannot be imported are refused, saying what is wrong and where', () => {
  test('an empty file, and one of blanks', async () => {
    await refused(importBytes(''), 'file-empty', /empty/);
    await refused(importBytes('\n\n  \n'), 'file-empty', /empty/);
  });

  test('a header without rows', async () => {
    await refused(importBytes('a,b,c\n'), 'file-empty', /header of 3 columns but no rows/);
    await refused(importBytes('a,b,c'), 'file-empty', /no rows/);
  });

  test('ragged rows, with their lines', async () => {
    const text = 'a,b\n1,2\n3\n4,5\n6,7,8\n"x\ny",9\n10\n';
    await refused(
      importBytes(text),
      'row-ragged',
      /3 rows do not have the 2 fields.*line 3 has 1.*line 5 has 3/,
    );
  });

  test('a header of fewer names than the rows have fields', async () => {
    await refused(importBytes('a,b\n1,2,3\n4,5,6\n'), 'row-ragged', /header names 2 columns.*3 fields/);
  });

  test('more columns than are taken', async () => {
    const header = Array.from({ length: 10_000 }, (_, index) => `c${index}`).join();
    await refused(importBytes(`${header}\n${header}\n`), 'too-many-columns', /10000 columns; at most 4096/);
  });

  test('a field of 50 MB, wherever it is', async () => {
    const large = 'x'.repeat(50_000_000);
    await refused(importBytes(`a,b\n1,2\n3,${large}\n`), 'field-too-large', /line 3, column "b"/);
    await refused(importBytes(`a,b\n1,"${large}\n`), 'field-too-large', /.*/);
    await refused(importBytes(large), 'field-too-large', /first row/);
  });

  test('a field that is too long but fits into a row', async () => {
    const text = `a,b\n1,2\n3,${'x'.repeat(1_100_000)}\n`;
    await refused(importBytes(text), 'field-too-large', /"b" has 1.0 MiB in row 2; at most 1 MiB/);
  });

  test('a field that is too long, of many short lines', async () => {
    const lines = 'x\n'.repeat(600_000);
    await refused(
      importBytes(`a,b\n1,2\n3,"${lines}"\n4,5\n`),
      'field-too-large',
      /"b" has 1.1 MiB in row 2; at most 1 MiB/,
    );
  });

  test('binary garbage', async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256));
    await refused(importBytes(bytes), 'file-unreadable', /not look like text/);
  });

  test('a zero byte far down', async () => {
    const text = `a,b\n${'1,x\n'.repeat(1_500_000)}2,y\0z\n`;
    await refused(importBytes(text), 'file-unreadable', /"b" holds a zero byte in row 1500001/);
  });

  test('kinds of files that are not read, by name', async () => {
    const zip = Buffer.from([0x50, 0x4b, 0x03, 0x04, 1, 2, 3, 4]);
    await refused(importBytes(zip), 'file-unreadable', /ZIP archive or an Excel workbook.*CSV/);
    await refused(importBytes(Buffer.from('SQLite format 3\0')), 'file-unreadable', /SQLite/);
  });

  test('a quote that is never closed', async () => {
    const text = `a,b\n${'1,2\n'.repeat(400_000)}"open,3\n4,5\n`;
    await refused(importBytes(text), 'file-unreadable', /quote is not closed.*line 400002/);
  });

  test('types for columns that are not there', async () => {
    const options = { columns: { nope: { type: 'integer' as const } } };
    await refused(importBytes('a,b\n1,2\n', { options }), 'column-unknown', /"nope".*a, b/);
  });

  test('a type that values do not fit, with rows and values', async () => {
    const options = { columns: { b: { type: 'integer' as const } } };
    const text = 'a,b\n1,2\n2,x\n3,4.5\n';
    await refused(
      importBytes(text, { options }),
      'conversion-failed',
      /"b".*integer: "x" in row 2, "4.5" in row 3/,
    );
  });

  test('a date format that says no year', async () => {
    await refused(
      importBytes('a\n1.2.\n', { options: { dateFormat: '%d.%m.' } }),
      'invalid-request',
      /no year/,
    );
  });
});

suite('compressed files', () => {
  const text = `a,b\n${Array.from({ length: 5000 }, (_, index) => `${index},${index % 7}`).join('\n')}\n`;

  test('gzip is unpacked, in parts too', async () => {
    const packed = gzipSync(text);
    const imported = await importBytes([packed.subarray(0, 100), packed.subarray(100)]);
    assert.equal(imported.rowCount, 5000);
    assert.equal(imported.options.compression, 'gzip');
  });

  test('a bomb is refused by its ratio', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_048_576, 'a,b\n'));
    await refused(importBytes(bomb), 'decompression-limit', /over 200 times/);
  });

  test('a large file is refused by its size', async () => {
    const random = Array.from({ length: 400_000 }, (_, index) => Math.imul(index, 2654435761) >>> 0).join(
      '\n',
    );
    const limits = { maxUploadBytes: 1_048_576 };
    await refused(importBytes(gzipSync(random), { limits }), 'decompression-limit', /larger than 1 MiB/);
  });

  test('a truncated or damaged file', async () => {
    const packed = gzipSync(text);
    await refused(importBytes(packed.subarray(0, packed.length - 200)), 'file-unreadable', /cut short/);
    const damaged = Buffer.from(packed);
    damaged.fill(0x55, 100, 140);
    await refused(importBytes(damaged), 'file-unreadable', /damaged|cut short/);
  });
});

suite('encodings', () => {
  test('a byte order mark is no part of the first name', async () => {
    const { columns } = await importBytes('\uFEFFname,b\nä,1\n');
    assert.equal(columns[0]!.name, 'name');
  });

  for (const [encoding, swap] of [
    ['utf-16le', false],
    ['utf-16be', true],
  ] as const) {
    for (const mark of ['\uFEFF', '']) {
      test(`${encoding} ${mark === '' ? 'without' : 'with'} a mark`, async () => {
        const bytes = Buffer.from(`${mark}name,b\nÄiti €,1\n`, 'utf16le');
        const { rows, columns, options, warnings } = await importBytes(swap ? bytes.swap16() : bytes);
        assert.deepEqual(rows, [['Äiti €', 1]]);
        assert.equal(columns[0]!.name, 'name');
        assert.equal(options.encoding, encoding);
        assert.match(warnings[0]!, new RegExp(encoding));
      });
    }
  }

  test('0xFF and the euro sign of windows-1252', async () => {
    const { rows, options } = await importBytes(Buffer.from('a,b\nx\xff,\x80\n', 'latin1'));
    assert.deepEqual(rows, [['xÿ', '€']]);
    assert.equal(options.encoding, 'windows-1252');
  });

  test('a byte that is no UTF-8 below what was looked at', async () => {
    const text = Buffer.concat([
      Buffer.from(`a,b\n${'1,plain\n'.repeat(700_000)}`),
      Buffer.from('2,caf\xe9\n', 'latin1'),
    ]);
    const { rowCount, rows, options, warnings } = await importBytes(text);
    assert.equal(rowCount, 700_001);
    assert.deepEqual(rows.at(-1), [2, 'café']);
    assert.equal(options.encoding, 'windows-1252');
    assert.match(warnings.join(), /windows-1252/);
  });

  test('an encoding that was named and does not fit', async () => {
    const bytes = Buffer.from('a,b\nx\xff,2\n', 'latin1');
    await refused(
      importBytes(bytes, { options: { encoding: 'utf-8' } }),
      'file-unreadable',
      /no utf-8, the first in line 2/,
    );
  });
});

suite('the form of delimited text', () => {
  test('semicolons and decimal commas', async () => {
    const { rows, options, columns } = await importBytes('item;price;n\nkahvi;3,50;1\ntee;12,9;2\n');
    assert.deepEqual(rows, [
      ['kahvi', 3.5, 1],
      ['tee', 12.9, 2],
    ]);
    assert.deepEqual(typesOf({ columns }), ['text', 'number', 'integer']);
    assert.equal(options.delimiter, ';');
    assert.equal(options.decimalSeparator, ',');
  });

  test('tabs, pipes, single quotes, backslashes', async () => {
    assert.deepEqual((await importBytes('a\tb\n1\tx,y\n')).rows, [[1, 'x,y']]);
    assert.deepEqual((await importBytes('a|b\n1|x,y\n')).rows, [[1, 'x,y']]);
    assert.deepEqual((await importBytes("a,b\n1,'x,y'\n2,'z'\n")).rows, [
      [1, 'x,y'],
      [2, 'z'],
    ]);
    const escaped = await importBytes('a,b\n1,"say \\"hi, you\\""\n2,"x"\n');
    assert.deepEqual(escaped.rows[0], [1, 'say "hi, you"']);
    assert.equal(escaped.options.escape, '\\');
  });

  test('quotes with line ends and quotes inside', async () => {
    const { rows } = await importBytes('a,b\n"x\ny","he said ""no"""\n"\r\n",z\n');
    assert.deepEqual(rows, [
      ['x\ny', 'he said "no"'],
      ['\r\n', 'z'],
    ]);
  });

  test('quotes that mean nothing', async () => {
    const { rows } = await importBytes('size,n\n5" pipe,1\n"7" tube,2\n');
    assert.deepEqual(rows, [
      ['5" pipe', 1],
      ['"7" tube', 2],
    ]);
  });

  for (const [name, end] of [
    ['CR LF', '\r\n'],
    ['CR', '\r'],
    ['LF', '\n'],
  ] as const) {
    test(`lines that end in ${name}`, async () => {
      const { rows } = await importBytes(['a,b', '1,x', '2,y', ''].join(end));
      assert.deepEqual(rows, [
        [1, 'x'],
        [2, 'y'],
      ]);
    });
  }

  test('lines that end in this way and that', async () => {
    const { rows } = await importBytes('a,b\r\n1,"x\r\ny"\n2,y\r3,z\r\n');
    assert.deepEqual(rows, [
      [1, 'x\r\ny'],
      [2, 'y'],
      [3, 'z'],
    ]);
  });

  test('no header, by the values', async () => {
    const { columns, rows, options } = await importBytes('1,x\n2,y\n');
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['column_1', 'column_2'],
    );
    assert.equal(rows.length, 2);
    assert.equal(options.hasHeader, false);
  });

  test('years as column names', async () => {
    const { columns } = await importBytes('country,2019,2020,2021\nFI,1,2,3\nSE,4,5,6\n');
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['country', '2019', '2020', '2021'],
    );
  });

  test('names that are empty, twice there, or strange', async () => {
    const { columns, warnings } = await importBytes('a,A,,a,__proto__,"x\ny",constructor\n1,2,3,4,5,6,7\n');
    assert.deepEqual(
      columns.map(({ name }) => name),
      ['a', 'A_2', 'column_3', 'a_3', '__proto__', 'x y', 'constructor'],
    );
    assert.equal(warnings.length, 2);
  });

  test('ragged rows are filled or left out when that is asked for, and told', async () => {
    const text = 'a,b\n1,2\n3\n4,5\n6\n';
    const filled = await importBytes(text, { options: { raggedRows: 'fill' } });
    assert.deepEqual(filled.rows, [
      [1, 2],
      [3, null],
      [4, 5],
      [6, null],
    ]);
    assert.match(filled.warnings.join(), /2 rows have not 2 fields and were filled.*line 3.*line 5/);
    const skipped = await importBytes(text, { options: { raggedRows: 'skip' } });
    assert.deepEqual(skipped.rows, [
      [1, 2],
      [4, 5],
    ]);
    assert.match(skipped.warnings.join(), /2 rows have not 2 fields and were left out/);
  });

  test('one column', async () => {
    assert.deepEqual((await importBytes('name\nx\ny z\n')).rows, [['x'], ['y z']]);
  });

  test('many columns, where they are allowed', async () => {
    const count = 4096;
    const line = (make: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => make(index)).join();
    const text = [
      line((index) => `c${index}`),
      ...[1, 2, 3].map((row) => line((index) => String(row * index))),
    ].join('\n');
    const imported = await importBytes(text, { limits: { maxColumns: count } });
    assert.equal(imported.columns.length, count);
    assert.equal(imported.rows[2]![4095], 3 * 4095);
  });
});

suite('Parquet', () => {
  test('types are kept, or widened where ours are narrower', async () => {
    const bytes =
      await parquetOf(`SELECT 1::UTINYINT AS small, 1.5::FLOAT AS f, 12.34::DECIMAL(10,2) AS money,
      12345678901234567890::UBIGINT AS big, true AS yes, DATE '2024-02-29' AS day, 'x' AS t, '' AS nothing,
      TIMESTAMPTZ '2024-01-05 10:00:00+02' AS moment, TIMESTAMP_NS '2024-01-05 10:00:00.000001' AS nanos,
      [1, 2] AS list, {'a': 1} AS struct, 1234567890123456.78::DECIMAL(18,2) AS fine, 'nan'::DOUBLE AS nan`);
    const { columns, rows } = await importBytes(bytes);
    assert.deepEqual(rows, [
      [
        1,
        1.5,
        12.34,
        '12345678901234567890',
        true,
        '2024-02-29',
        'x',
        null,
        '2024-01-05T08:00:00Z',
        '2024-01-05T10:00:00.000001Z',
        '[1,2]',
        '{"a":1}',
        '1234567890123456.78',
        null,
      ],
    ]);
    assert.deepEqual(typesOf({ columns }), [
      'integer',
      'number',
      'number',
      'text',
      'boolean',
      'date',
      'text',
      'text',
      'datetime',
      'datetime',
      'text',
      'text',
      'text',
      'number',
    ]);
  });

  test('a footer that lies', async () => {
    const good = await parquetOf('SELECT range AS a, range::VARCHAR AS t FROM range(1000)');
    const cut = good.subarray(0, good.length - 20);
    await refused(importBytes(cut), 'file-unreadable', /Parquet: its end is missing/);
    const long = Buffer.from(good);
    long.writeUInt32LE(0x7fff_ffff, long.length - 8);
    await refused(importBytes(long), 'file-unreadable', /footer claims to be larger than the file/);
    const short = Buffer.concat([good.subarray(0, 4), good.subarray(600)]);
    await refused(importBytes(short), 'file-unreadable', /Parquet: its (footer|data)/);
  });

  test('a footer with any byte changed never yields other values, nor ends the process', async () => {
    const good = await parquetOf('SELECT range AS a, range::VARCHAR AS t FROM range(300)');
    const expected = (await importBytes(good)).rows;
    const footerBytes = good.readUInt32LE(good.length - 8);
    for (let step = 0; step < 60; step++) {
      const changed = Buffer.from(good);
      const at = good.length - 8 - 1 - ((step * 7919) % footerBytes);
      changed[at] = (changed[at]! + 1 + ((step * 31) % 255)) % 256;
      try {
        const { rows } = await importBytes(changed);
        assert.equal(rows.length, expected.length, `byte ${at}`);
      } catch (error) {
        assert.ok(error instanceof Problem, String((error as Error).stack));
      }
    }
  });

  test('no rows', async () => {
    await refused(
      importBytes(await parquetOf('SELECT 1 AS a WHERE false')),
      'file-empty',
      /1 columns but no rows/,
    );
  });
});

suite('JSON', () => {
  test('objects a line, keys that come late, nested values', async () => {
    const lines = [
      { a: 1, b: '00123', c: [1, { d: 2 }] },
      { a: 2.5, b: 'x', late: true },
      { a: null, b: '', c: null },
    ];
    const { columns, rows, options } = await importBytes(
      lines.map((line) => JSON.stringify(line)).join('\n'),
    );
    assert.deepEqual(columns, [
      { name: 'a', type: 'number' },
      { name: 'b', type: 'text' },
      { name: 'c', type: 'text' },
      { name: 'late', type: 'boolean' },
    ]);
    assert.deepEqual(rows, [
      [1, '00123', '[1,{"d":2}]', null],
      [2.5, 'x', null, true],
      [null, null, null, null],
    ]);
    assert.equal(options.format, 'json-lines');
  });

  test('one array of objects', async () => {
    assert.deepEqual((await importBytes('[{"a":1},\n {"a":2}]')).rows, [[1], [2]]);
  });

  test('a broken line is named', async () => {
    await refused(importBytes('{"a":1}\n{"a":2}\n{"a":\n{"a":3}\n'), 'file-unreadable', /not valid JSON/);
  });

  test('a text that is too long', async () => {
    const line = JSON.stringify({ a: 'x'.repeat(20_000_000) });
    await refused(importBytes(`{"a":"y"}\n${line}\n`), 'field-too-large', /longer than 1 MiB|has 19.1 MiB/);
    const shorter = JSON.stringify({ a: 'x'.repeat(1_500_000) });
    await refused(importBytes(`{"a":"y"}\n${shorter}\n`), 'field-too-large', /"a" has 1.4 MiB in row 2/);
  });

  test('keys that differ by case only', async () => {
    await refused(importBytes('{"a":1,"A":2}\n'), 'file-unreadable', /upper and lower case/);
  });
});

suite('reading again', () => {
  test('the options that were found read the same bytes', async () => {
    const text = 'when;what;price\n05.01.2024;x;1,5\n25.12.2023;NA;NA\n';
    const first = await importBytes(text);
    const second = await importBytes(text, { options: first.options });
    assert.equal(second.contentSha256, first.contentSha256);
    assert.deepEqual(second.columns, first.columns);
    assert.deepEqual(first.options.nullValues, ['NA']);
    assert.equal(first.options.dateFormat, '%d.%m.%Y');
  });

  test('same bytes, same content', async () => {
    const text = `a,b,c\n${Array.from({ length: 200_000 }, (_, index) => `${index},${index % 97},text ${index % 1013}`).join('\n')}\n`;
    const digests = new Set<string>();
    for (let round = 0; round < 3; round++) digests.add((await importBytes(text)).contentSha256);
    assert.equal(digests.size, 1);
  });

  test('a preview sees what the import sees', async () => {
    const text = `a;b;c\n${Array.from({ length: 800_000 }, (_, index) => `${index};0${index};${index % 3}`).join('\n')}\n`;
    const [preview, imported] = [await previewBytes(text), await importBytes(text)];
    assert.deepEqual(preview.columns, imported.columns);
    assert.deepEqual(preview.options, imported.options);
    assert.deepEqual(preview.rows, imported.rows.slice(0, 50));
  });
});
