// CSV as it comes: every block size and every cut of the bytes gives the same rows, and what cannot be read is told
// with its line.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../base/problems.ts';
import { predictionsHeader, predictionsLines, readCsvBlocks, type CsvLimits } from './csv.ts';

const limits: CsvLimits = { maxColumns: 50, maxLineBytes: 1_000, blockRows: 3 };

async function* chunksOf(bytes: Uint8Array, chunkBytes = bytes.length || 1): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += chunkBytes)
    yield bytes.subarray(start, start + chunkBytes);
}

interface Table {
  columns: Record<string, string[]>;
  lines: number[];
  blockSizes: number[];
}

async function read(
  content: string | Uint8Array,
  options: Partial<CsvLimits> & { chunkBytes?: number } = {},
): Promise<Table> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const columns = new Map<string, string[]>();
  const table: Table = { columns: {}, lines: [], blockSizes: [] };
  const source = chunksOf(bytes, options.chunkBytes);
  for await (const block of readCsvBlocks(source, { ...limits, ...options })) {
    table.blockSizes.push(block.rowCount);
    table.lines.push(...block.lines);
    for (const [name, values] of Object.entries(block.columns))
      columns.set(name, [...(columns.get(name) ?? []), ...values]);
  }
  return { ...table, columns: Object.fromEntries(columns) };
}

function isProblem(code: string, detail: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Problem, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, detail);
    return true;
  };
}

describe('reading', () => {
  test('goes by blocks and keeps line numbers', async () => {
    const table = await read('a,b\n1,x\n\n2,"y\nz"\n3,\n4,""\n');
    assert.deepEqual(table.columns, { a: ['1', '2', '3', '4'], b: ['x', 'y\nz', '', ''] });
    assert.deepEqual(table.lines, [2, 5, 6, 7]);
    assert.deepEqual(table.blockSizes, [3, 1]);
  });

  test('understands a byte order mark, any line ends and quotes', async () => {
    for (const content of ['\ufeffa,b\r\n"1","x ""y"""\r\n', '"a","b"\r1,"x ""y"""', '\n\na,b\n1,"x ""y"""'])
      // oxlint-disable-next-line no-await-in-loop
      assert.deepEqual((await read(content)).columns, { a: ['1'], b: ['x "y"'] }, JSON.stringify(content));
  });

  test('finds the delimiter in the header', async () => {
    for (const [delimiter, header] of [
      [';', 'a;"b,c,d"'],
      ['\t', 'a\t"b,c,d"'],
      ['|', 'a|"b,c,d"'],
      [',', 'a,"b,c,d"'],
    ] as const)
      // oxlint-disable-next-line no-await-in-loop
      assert.deepEqual((await read(`${header}\n1${delimiter}2\n`)).columns, { a: ['1'], 'b,c,d': ['2'] });
  });

  test('takes an empty line of a single column for a missing value', async () => {
    assert.deepEqual((await read('a\n1\n\n2\n')).columns, { a: ['1', '', '2'] });
  });

  test('takes any name for a column', async () => {
    const { columns } = await read('__proto__,constructor,toString\n1,2,3\n');
    assert.deepEqual(Object.entries(columns), [
      ['__proto__', ['1']],
      ['constructor', ['2']],
      ['toString', ['3']],
    ]);
  });

  test('gives the same rows however the bytes are cut', async () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 8 })
      .filter((value) => !/[\ufffd\ufeff\0]/.test(value));
    const rows = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        async (table, chunkBytes, blockRows) => {
          const quote = (value: string): string => `"${value.replaceAll('"', '""')}"`;
          const content = ['a,b', ...table.map((row) => row.map(quote).join(','))].join('\n');
          const { columns } = await read(content, { chunkBytes, blockRows });
          assert.deepEqual(columns, { a: table.map(([a]) => a), b: table.map(([, b]) => b) });
        },
      ),
      { numRuns: 200, seed: 20261122 },
    );
  });
});

describe('what cannot be read', () => {
  const bytes = (...parts: (string | number[])[]): Uint8Array =>
    Buffer.concat(parts.map((part) => Buffer.from(part as string)));

  for (const [name, content, code, detail] of [
    ['an empty file', '', 'file-empty', /empty/],
    ['nothing but line ends', '\n\r\n\n', 'file-empty', /empty/],
    ['too few fields', 'a,b,c\n1,2,3\n4,5\n', 'prediction-input', /Line 3 has 2 fields, the header has 3/],
    ['too many fields', 'a,b\n1,2\n\n3,4,5\n', 'prediction-input', /Line 4 has 3 fields, the header has 2/],
    ['two columns of one name', 'a,b,a\n1,2,3\n', 'prediction-input', /Column 3 of the header/],
    ['a column without a name', 'a,,b\n1,2,3\n', 'prediction-input', /Column 2 of the header has no name/],
    ['a quote in a field', 'a,b\n1,2\n3,x"y\n', 'file-unreadable', /Line 3/],
    ['text after a quote', 'a,b\n1,"x"y\n', 'file-unreadable', /Line 2/],
    ['a quote that is not closed', 'a,b\n1,"x\n2,y\n', 'file-unreadable', /not closed/],
    ['a line that is too long', `a,b\n1,2\n3,${'x'.repeat(2_000)}\n`, 'field-too-large', /Line 3/],
    ['no line end at all', `a,b,${'x'.repeat(2_000)}`, 'field-too-large', /Line 1/],
    [
      'too many columns',
      `${Array.from({ length: 51 }, (_, index) => `c${index}`).join(',')}\n`,
      'too-many-columns',
      /51/,
    ],
    ['bytes that are not UTF-8', bytes('a,b\n1,2\n3,', [0xff], '\n4,5\n'), 'file-unreadable', /Line 3/],
    ['the same on the first line', bytes('a,', [0xff], '\n4,5\n'), 'file-unreadable', /Line 1/],
    ['a character that is cut short', bytes('a,b\n1,2\n3,', [0xe2, 0x82]), 'file-unreadable', /Line 3/],
    ['UTF-16', new Uint8Array(Buffer.from('\ufeffa,b\n1,2\n', 'utf16le')), 'file-unreadable', /Line 1/],
  ] as const) {
    test(name, async () => {
      for (const chunkBytes of [1, 7, 10_000])
        // oxlint-disable-next-line no-await-in-loop
        await assert.rejects(read(content, { chunkBytes }), isProblem(code, detail));
    });
  }

  test('a source that breaks', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a,b\n1,2\n');
      throw new Problem('request-timeout', 'The body stopped arriving.');
    }
    await assert.rejects(
      async () => {
        for await (const block of readCsvBlocks(broken(), limits)) assert.equal(block.rowCount, 1);
      },
      isProblem('request-timeout', /stopped/),
    );
  });
});

test('the source waits while a block is worked on, and is closed when the reader leaves', async () => {
  let sentBytes = 0;
  let isClosed = false;
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from('a,b\n');
      for (;;) {
        const chunk = Buffer.from('1,2\n'.repeat(4_096));
        sentBytes += chunk.length;
        yield chunk;
      }
    } finally {
      isClosed = true;
    }
  }
  let blockCount = 0;
  for await (const block of readCsvBlocks(endless(), { ...limits, blockRows: 1_000 })) {
    assert.equal(block.rowCount, 1_000);
    const before = sentBytes;
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(sentBytes - before < 1_000_000, 'the source ran on');
    if (++blockCount === 20) break;
  }
  assert.ok(sentBytes < 2_000_000, `${sentBytes} bytes were read for 80,000`);
  await new Promise(setImmediate);
  assert.ok(isClosed);
});

describe('writing', () => {
  test('classes and intervals', () => {
    const classes = {
      prediction: ['no', 'a "b", c'],
      probabilities: { no: Float64Array.of(0.1, 1 / 3), 'a "b", c': Float64Array.of(0.9, 2 / 3) },
      warnings: [],
    };
    assert.equal(predictionsHeader(classes), 'prediction,probability_no,"probability_a ""b"", c"\n');
    assert.equal(predictionsLines(classes), `no,0.1,0.9\n"a ""b"", c",${1 / 3},${2 / 3}\n`);
    const values = {
      prediction: [1.5],
      lower: Float64Array.of(-1e-7),
      upper: Float64Array.of(1e21),
      warnings: [],
    };
    assert.equal(predictionsHeader(values), 'prediction,lower,upper\n');
    assert.equal(predictionsLines(values), '1.5,-1e-7,1e+21\n');
    assert.equal(predictionsLines({ prediction: [2], warnings: [] }), '2,,\n');
  });
});
