import assert from 'node:assert/strict';
import fc from 'fast-check';
import { suite, test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { Problem } from '../../../base/problems.ts';
import { numberedNames, uniqueNames } from './column-names.ts';
import { detectDates } from './date-formats.ts';
import { detectDialect } from './dialect.ts';
import { decoderFor, detectEncoding } from './encoding.ts';
import { givenDateFormat } from './given-date-format.ts';
import { lineEndNormaliser } from './line-ends.ts';
import { splitRecords } from './records.ts';

const field = fc.string({
  maxLength: 6,
  unit: fc.constantFrom('a', 'b', ' ', '"', ',', ';', '\n', '\r', 'ä', "'"),
});
const records = fc
  .integer({ min: 1, max: 5 })
  .chain((width) =>
    fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 10 }),
  );

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

suite('records', () => {
  test('what was written is read', () => {
    fc.assert(
      fc.property(
        records,
        fc.constantFrom(',', ';', '||'),
        fc.constantFrom('\n', '\r\n'),
        (rows, delimiter, end) => {
          const text = rows.map((row) => row.map(quoted).join(delimiter) + end).join('');
          const dialect = { delimiter, quote: '"', escape: '"' };
          assert.deepEqual(splitRecords(text, dialect, true), {
            records: rows,
            malformedCount: 0,
            end: text.length,
          });
        },
      ),
    );
  });

  test('a cut text loses its last record only, and says where it ends', () => {
    fc.assert(
      fc.property(records, fc.nat(), (rows, at) => {
        const text = rows.map((row) => `${row.map(quoted).join(',')}\n`).join('');
        const cut = text.slice(0, at % text.length);
        const found = splitRecords(cut, { delimiter: ',', quote: '"', escape: '"' }, false);
        assert.deepEqual(found.records, rows.slice(0, found.records.length));
        assert.equal(
          splitRecords(text.slice(0, found.end), { delimiter: ',', quote: '"', escape: '"' }, true)
            .malformedCount,
          0,
        );
      }),
    );
  });
});

suite('dialects', () => {
  const found = (text: string) => detectDialect(text, true, {});

  test('the delimiter that makes rows alike', () => {
    assert.equal(found('a,b\n1,2\n').delimiter, ',');
    assert.equal(found('a;b\n1,5;2,5\n1,7;3,1\n').delimiter, ';');
    assert.equal(found('name\ttext\nx\ta, b; c\ny\td\n').delimiter, '\t');
    assert.equal(found('a|b|c\n1,1|2|3\n4|5|6\n').delimiter, '|');
    assert.equal(found('text\nhello, world\nno more\n').delimiter, ',');
    assert.equal(found('').delimiter, ',');
  });

  test('quotes and escapes', () => {
    assert.deepEqual(found('a,b\n"x, y","say ""hi"""\n'), { delimiter: ',', quote: '"', escape: '"' });
    assert.deepEqual(found('a,b\n"x, y","say \\"hi\\", or"\n1,2\n'), {
      delimiter: ',',
      quote: '"',
      escape: '\\',
    });
    assert.equal(found('a,b\n"7" wide,1\n"8" wide,2\n').quote, '');
    assert.equal(found("a,b\n'x','y, z'\n").quote, "'");
    assert.equal(found("a,b\n'tis,1\nit's,2\n").quote, '"');
  });

  test('what is given is kept', () => {
    const options = { delimiter: ':', quote: "'" };
    assert.deepEqual(detectDialect('a,b\n1,2\n', true, options), { delimiter: ':', quote: "'", escape: "'" });
  });
});

suite('encodings', () => {
  test('any text is decoded as it was encoded, however it is cut', () => {
    const texts = fc
      .string({ unit: 'binary', maxLength: 40 })
      .filter((text) => text.isWellFormed() && !text.startsWith('\uFEFF'));
    fc.assert(
      fc.property(
        texts,
        fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'),
        fc.integer({ min: 1, max: 7 }),
        (text, encoding, step) => {
          const bytes = encoding === 'utf-8' ? Buffer.from(text) : Buffer.from(text, 'utf16le');
          if (encoding === 'utf-16be') bytes.swap16();
          const decoder = decoderFor(encoding);
          let decoded = '';
          for (let at = 0; at < bytes.length; at += step)
            decoded += decoder.decode(bytes.subarray(at, at + step));
          assert.equal(decoded + decoder.end(), text);
        },
      ),
    );
  });

  test('one-byte encodings keep every byte apart', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const encoding of ['windows-1252', 'iso-8859-1'] as const)
      assert.equal(new Set(decoderFor(encoding).decode(bytes)).size, 256);
    assert.equal(decoderFor('windows-1252').decode(Uint8Array.of(0x80, 0x9f, 0xff)), '€Ÿÿ');
  });

  test('are told by their bytes', () => {
    assert.equal(detectEncoding(Buffer.from('plain')), 'utf-8');
    assert.equal(detectEncoding(Buffer.from('ä€').subarray(0, 4)), 'utf-8');
    assert.equal(detectEncoding(Buffer.from('caf\xe9,1\n', 'latin1')), 'windows-1252');
    assert.equal(detectEncoding(Buffer.from('name,b\n', 'utf16le')), 'utf-16le');
    assert.throws(
      () => detectEncoding(Buffer.from('a\0b,c')),
      (error) => error instanceof Problem && /byte 2 is zero/.test(error.message),
    );
  });
});

suite('line ends', () => {
  test('become LF outside quotes, however the text is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', '\r\n', '\n', '\r', '"x\r\ny"', ','), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        async (pieces, step) => {
          const bytes = Buffer.from(pieces.join(''));
          const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) =>
            bytes.subarray(index * step, (index + 1) * step),
          );
          const made = await buffer(Readable.from(chunks).pipe(lineEndNormaliser('"')));
          const expected = bytes
            .toString()
            .replace(/"[^"]*"|\r\n?/g, (match) => (match.startsWith('"') ? match : '\n'));
          assert.equal(made.toString(), expected);
        },
      ),
    );
  });
});

suite('names', () => {
  test('are unique without regard to case, never empty, and kept where they can be', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ maxLength: 5 }),
            fc.constantFrom('a', 'A', 'a_2', '', 'column_2', '__proto__'),
          ),
          { minLength: 1 },
        ),
        (header) => {
          const { names } = uniqueNames(header);
          assert.equal(names.length, header.length);
          assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
          assert.ok(names.every((name) => name !== '' && name === name.trim()));
          assert.deepEqual(uniqueNames(names), { names, warnings: [] });
        },
      ),
    );
    assert.deepEqual(numberedNames(2), ['column_1', 'column_2']);
  });
});

suite('dates', () => {
  const formats = (values: string[]): string[] | undefined => detectDates(values, null)?.formats;

  test('are told from what looks like them', () => {
    for (const value of [
      '1.2.3',
      '1.2.10',
      '2024',
      '20240105',
      '1234-05',
      '2024-13-01',
      '2023-02-29',
      '10:30',
      '1/2',
      'May',
      '99/99/2024',
      '2024-01-05x',
    ])
      assert.equal(formats([value]), undefined, value);
  });

  test('of one column are written alike', () => {
    assert.deepEqual(formats(['2024-01-05', '2024-12-31']), ['%Y-%m-%d']);
    assert.deepEqual(formats(['5.1.2024', '31.12.2024']), ['%d.%m.%Y']);
    assert.deepEqual(formats(['12/31/2024']), ['%m/%d/%Y']);
    assert.deepEqual(formats(['31/12/24']), ['%d/%m/%y']);
    assert.deepEqual(formats(['05-Jan-24', '31-MAY-24']), ['%d-%b-%y']);
    assert.deepEqual(formats(['January 5, 2024', 'May 6, 2024']), ['%B %d, %Y']);
    assert.deepEqual(formats(['1949-01', '1949-12']), ['%Y-%m']);
    assert.equal(formats(['2024-01-05', '5.1.2024']), undefined);
    assert.equal(formats(['13/12/2024', '12/13/2024']), undefined);
  });

  test('formats that are given are checked', () => {
    assert.ok(givenDateFormat('%d.%m.%Y').pattern.test('05.01.2024'));
    assert.equal(givenDateFormat('%d.%m.%Y %H:%M').reading.type, 'datetime');
    assert.ok(!givenDateFormat('%Y(%m)').pattern.test('2024m'));
    assert.throws(() => givenDateFormat('%d.%m'), /no year/);
    assert.throws(() => givenDateFormat('%Y %q'), /"%q" is not one of/);
    assert.throws(() => givenDateFormat('%Y%'), /not one of/);
  });
});
