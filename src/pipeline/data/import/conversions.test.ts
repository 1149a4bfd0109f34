// The patterns for samples (JavaScript) and the conversions of files (SQL) must say the same about every text.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { after, before, test } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDataEngine } from '../../../platform/drivers/duckdb.ts';
import { joined, sql, type DataEngine } from '../../../platform/ports/data-engine.ts';
import type { Reading } from './column-readings.ts';
import { misfits, selectValues, type SourceColumn } from './conversions.ts';
import { detectDates } from './date-formats.ts';
import { isInteger, isNumber } from './value-forms.ts';

const rules = {
  nullValues: ['NA'],
  maxFieldBytes: 1000,
  suspicion: { zeroBytes: true, length: true },
  spellings: 'all',
} as const;
const column: SourceColumn = { name: 'v', text: sql`v` };
let engine: DataEngine;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilvi-conversions-'));
  engine = await openDataEngine({
    memoryBytes: 268_435_456,
    threads: 1,
    workFolder: folder,
    maxSpillBytes: 1_000_000,
    readablePaths: [],
  });
});
after(async () => {
  engine.close();
  await rm(folder, { recursive: true });
});

/** For each text whether it fits the reading, and its value if it does. */
async function convert(
  texts: readonly string[],
  reading: Reading,
): Promise<{ fits: boolean; value: unknown }[]> {
  const values = joined(texts.map((text, index) => sql`(${index}, ${text})`));
  const misfit = misfits(column, reading, rules);
  const flagged = sql`(SELECT i, v, ${misfit} AS m FROM (VALUES ${values}) AS t(i, v))`;
  const flags = await engine.rows(sql`SELECT m FROM ${flagged} ORDER BY i`);
  // Texts that do not fit would end the statement; in their place stands nothing.
  const fitting = sql`(SELECT i, CASE WHEN m THEN NULL ELSE v END AS v FROM ${flagged} ORDER BY i)`;
  const converted = await engine.rows(selectValues([column], [reading], fitting, rules));
  const rows = flags.map(([flag], index) => [flag, converted[index]![0]] as const);
  return rows.map(([isMisfit, value]) => ({ fits: !isMisfit, value }));
}

const digits = fc.stringMatching(/^[0-9]{1,22}$/);
const numeric = fc.oneof(
  digits,
  fc.stringMatching(/^[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?$/),
  fc.stringMatching(/^[+-]?[0-9]{1,6},[0-9]{1,6}$/),
  fc.double().map(String),
  fc.maxSafeInteger().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.constantFrom(
    'inf',
    '-Infinity',
    'nan',
    'NaN',
    '1_000',
    '0x1F',
    '0b1',
    '-0',
    '+5',
    '.5',
    '5.',
    '.',
    '-',
    '',
    ' ',
    'e5',
    '1e',
    '00',
    '01',
    '-01',
    '1 2',
    '١٢',
    '1d',
    '1.2.3',
    'NA',
    'true',
  ),
  fc.string({ maxLength: 8 }).filter((text) => !text.includes('\0')),
);

function check(
  reading: Reading,
  predicate: (text: string) => boolean,
  same: (text: string, value: unknown) => boolean,
) {
  return fc.assert(
    fc.asyncProperty(fc.array(numeric, { minLength: 100, maxLength: 300 }), async (texts) => {
      const results = await convert(texts, reading);
      for (const [index, text] of texts.entries()) {
        const { fits, value } = results[index]!;
        const trimmed = text.replace(/^ +| +$/g, '');
        if (trimmed === '' || trimmed === 'NA') {
          assert.ok(fits && value === null, JSON.stringify(text));
          continue;
        }
        assert.equal(fits, predicate(trimmed), JSON.stringify(text));
        if (fits) assert.ok(same(trimmed, value), `${JSON.stringify(text)} became ${JSON.stringify(value)}`);
      }
    }),
    { numRuns: 40 },
  );
}

test('whole numbers: the same texts fit, and keep their value', async () => {
  await check(
    { type: 'integer' },
    isInteger,
    (text, value) => BigInt(text.replace('+', '')) === BigInt(value as number),
  );
});

const asNumber = (text: string): number =>
  Number(text.replaceAll(',', '.').replace(/inf(inity)?/i, 'Infinity'));

test('numbers: the same texts fit, and keep their value', async () => {
  await check(
    { type: 'number', decimalSeparator: '.' },
    isNumber,
    (text, value) => Number(value) === asNumber(text),
  );
});

test('numbers with decimal commas: the same texts fit, and keep their value', async () => {
  await check(
    { type: 'number', decimalSeparator: ',' },
    (text) => !text.includes('.') && isNumber(text.replaceAll(',', '.')),
    (text, value) => Number(value) === asNumber(text),
  );
});

const dayMs = 86_400_000;
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
const moment = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2199, 0, 1) });
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const dateWriters: Record<string, (date: Date) => string> = {
  iso: (date) => date.toISOString().slice(0, 10),
  slashes: (date) => `${date.getUTCFullYear()}/${pad(date.getUTCMonth() + 1)}/${pad(date.getUTCDate())}`,
  finnish: (date) => `${date.getUTCDate()}.${date.getUTCMonth() + 1}.${date.getUTCFullYear()}`,
  american: (date) => `${pad(date.getUTCMonth() + 1)}/${pad(date.getUTCDate())}/${date.getUTCFullYear()}`,
  british: (date) => `${pad(date.getUTCDate())}/${pad(date.getUTCMonth() + 1)}/${date.getUTCFullYear()}`,
  named: (date) => `${date.getUTCDate()}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()}`,
  english: (date) => `${months[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}`,
};

for (const [name, write] of Object.entries(dateWriters)) {
  test(`dates as ${name} come back`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 60, maxLength: 100 }), async (moments) => {
        const dates = moments.map((timeMs) => new Date(Math.floor(timeMs / dayMs) * dayMs));
        const texts = dates.map(write);
        const reading = detectDates(texts, null);
        assert.ok(reading && !reading.isAmbiguous, texts.join(' '));
        for (const [index, { fits, value }] of (await convert(texts, reading)).entries()) {
          assert.ok(fits);
          assert.equal(value, dates[index]!.toISOString().slice(0, 10), texts[index]);
        }
      }),
      { numRuns: 5 },
    );
  });
}

const timeWriters: Record<string, (date: Date) => string> = {
  'RFC 3339': (date) => date.toISOString(),
  'a zone': (date) => `${new Date(date.getTime() + 7_200_000).toISOString().slice(0, 23)}+02:00`,
  'a space': (date) => date.toISOString().slice(0, 23).replace('T', ' '),
  minutes: (date) => `${dateWriters['british']!(date)} ${date.toISOString().slice(11, 16)}`,
  halves: (date) =>
    `${dateWriters['american']!(date)} ${date.getUTCHours() % 12 || 12}:${pad(date.getUTCMinutes())} ${date.getUTCHours() < 12 ? 'AM' : 'PM'}`,
};

for (const [name, write] of Object.entries(timeWriters)) {
  test(`times with ${name} come back`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 60, maxLength: 100 }), async (moments) => {
        const step = name === 'minutes' || name === 'halves' ? 60_000 : 1;
        const dates = moments.map((timeMs) => new Date(Math.floor(timeMs / step) * step));
        const texts = dates.map(write);
        const reading = detectDates(texts, null);
        assert.ok(reading && reading.type === 'datetime', texts.join(' '));
        for (const [index, { fits, value }] of (await convert(texts, reading)).entries()) {
          assert.ok(fits, texts[index]);
          assert.equal(Date.parse(String(value)), dates[index]!.getTime(), texts[index]);
        }
      }),
      { numRuns: 5 },
    );
  });
}

test('dates that do not exist, or lose something, do not fit', async () => {
  const iso: Reading = detectDates(['2024-01-05'], null)!;
  const texts = [
    '2023-02-29',
    '2024-13-01',
    '2024-01-05 10:00',
    '24-01-05',
    'infinity',
    '2024-01-05 (BC)',
    '2024-01-05x',
  ];
  assert.deepEqual(
    (await convert(texts, iso)).map(({ fits }) => fits),
    texts.map(() => false),
  );
  const times: Reading = detectDates(['2024-01-05 10:00:00'], null)!;
  const lossy = ['2024-01-05 10:00:00.1234567', '2024-01-05 24:00:00', '2024-01-05 10:00:00+02', 'infinity'];
  assert.deepEqual(
    (await convert(lossy, times)).map(({ fits }) => fits),
    lossy.map(() => false),
  );
});

test('truth values', async () => {
  const reading: Reading = {
    type: 'boolean',
    words: [
      ['true', 'false'],
      ['yes', 'no'],
    ],
  };
  const results = await convert(['true', 'FALSE', ' Yes ', 'nO', '', 'NA', 'maybe', '1'], reading);
  assert.deepEqual(
    results.map(({ value }) => value),
    [true, false, true, false, null, null, null, null],
  );
  assert.deepEqual(
    results.map(({ fits }) => fits),
    [true, true, true, true, true, true, false, false],
  );
});
