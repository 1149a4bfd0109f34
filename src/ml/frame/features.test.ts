// Features of dates, texts and categories: what they hold, that odd input does no harm, that nothing leaks.
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../base/random.ts';
import { encodeFrame, featuresOf, valueEncoders, widthOf, type Encoding } from './encoding.ts';
import { fitEncoding } from './fit-encoding.ts';
import { encodeWithStatistics } from './fit-statistics.ts';
import { fitText } from './fit-text.ts';
import { frameFromColumns, frameFromRows, type Frame } from './frame.ts';
import { inferSchema, isCode } from './infer-schema.ts';
import type { ColumnKind } from './schema.ts';
import { foldRows } from './split.ts';
import { heaviestTerm, textEncoder, textShapes, textWidth } from './text-features.ts';
import { readTerms } from './text-terms.ts';
import { readValue } from './values.ts';
import { viewOf } from './views.ts';

const many = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));

function frameOf(columns: Record<string, unknown[]>, kinds: Record<string, ColumnKind>): Frame {
  return frameFromColumns(
    columns,
    Object.entries(kinds).map(([name, kind]) => ({ name, kind })),
  );
}

/** The features of one row of single values, by name. */
function featuresByName(
  encoding: Encoding,
  values: Record<string, number | string | null>,
): Map<string, number> {
  const out = new Float64Array(encoding.reduce((sum, entry) => sum + widthOf(entry), 0));
  let start = 0;
  for (const { column, width, encode } of valueEncoders(encoding)) {
    encode(values[column]!, out, start);
    start += width;
  }
  return new Map(featuresOf(encoding).map(({ name }, index) => [name, out[index]!]));
}

test('dates become calendar parts in UTC, before 1970 and in the year 9999 too', () => {
  const days = [
    '1899-12-31T23:30:00Z',
    '1970-01-01T00:00:00Z',
    '2024-02-29T12:00:00Z',
    '9999-12-31T23:59:59Z',
  ];
  const frame = frameOf({ day: many(40, (index) => days[index % 4]) }, { day: 'date' });
  const { encoding } = fitEncoding(frame);
  const partsOf = (text: string): Map<string, number> => featuresByName(encoding, { day: Date.parse(text) });
  const leap = partsOf(days[2]!);
  assert.deepEqual(
    ['year', 'month', 'day', 'weekday', 'hour', 'yearDay', 'isWeekend', 'isMonthEnd'].map((part) =>
      leap.get(`day (${part})`),
    ),
    [2024, 2, 29, 4, 12, 60, 0, 1],
  );
  assert.equal(partsOf(days[0]!).get('day (year)'), 1899);
  assert.equal(partsOf(days[0]!).get('day (isWeekend)'), 1);
  assert.equal(partsOf(days[0]!).get('day (isMonthEnd)'), 1);
  assert.equal(partsOf(days[3]!).get('day (yearDay)'), 365);
  for (const table of [encodeFrame(frame, encoding)])
    assert.ok(table.columns.every((column) => column.every(Number.isFinite)));
  const missing = featuresByName(encoding, { day: NaN });
  assert.ok([...missing.values()].every(Number.isNaN));
});

test('any moment that can be sent has finite parts, or none', () => {
  const { encoding } = fitEncoding(frameOf({ day: many(40, (index) => index * 5e9) }, { day: 'date' }));
  fc.assert(
    fc.property(fc.double({ min: -8.64e15, max: 8.64e15, noNaN: true }), (moment) =>
      [...featuresByName(encoding, { day: moment }).values()].every(Number.isFinite),
    ),
  );
});

test('numbers that count time are dates where their name says so, in seconds and milliseconds', () => {
  const seconds = many(60, (index) => 1_700_000_000 + index * 86_400);
  const frame = frameOf(
    { created_at: seconds, sentTime: seconds.map((value) => value * 1000), amount: seconds },
    { created_at: 'numeric', sentTime: 'numeric', amount: 'numeric' },
  );
  const { encoding } = fitEncoding(frame);
  const units = new Map(
    encoding.map((entry) => [entry.column, entry.kind === 'date' ? entry.unit : undefined]),
  );
  assert.deepEqual(
    [...units],
    [
      ['created_at', 'seconds'],
      ['sentTime', 'milliseconds'],
      ['amount', undefined],
    ],
  );
  const row = featuresByName(encoding, { created_at: seconds[0]!, sentTime: seconds[0]! * 1000, amount: 1 });
  assert.equal(row.get('created_at (year)'), row.get('sentTime (year)'));
  assert.equal(
    featuresByName(encoding, { created_at: 1e300, sentTime: 0, amount: 0 }).get('created_at (month)'),
    NaN,
  );
});

test('the distance between two dates is a feature of both, the same for a frame and for a row', () => {
  const rows = many(50, (index) => ({
    start: index % 9 ? 1e12 + index * 86_400_000 : null,
    end: 1e12 + (index + (index % 7)) * 86_400_000,
  }));
  const frame = frameFromRows(rows, [
    { name: 'start', kind: 'date' },
    { name: 'end', kind: 'date' },
  ]);
  const { encoding } = fitEncoding(frame);
  const table = encodeFrame(frame, encoding);
  const place = table.features.findIndex((feature) => feature.from !== undefined);
  assert.deepEqual(
    [table.features[place]!.column, table.features[place]!.from, table.features[place]!.name],
    ['end', 'start', 'end (days since start)'],
  );
  rows.forEach(({ start, end }, index) => {
    const one = featuresByName(encoding, { start: start ?? NaN, end });
    assert.equal(one.get('end (days since start)'), table.columns[place]![index]);
    assert.ok(start === null || table.columns[place]![index] === index % 7);
  });
});

test('dates in mixed formats are no dates, and say so at prediction', () => {
  const mixed = many(30, (index) => (index % 2 ? '2026-01-02' : `${index % 28}.1.2026`));
  assert.equal(inferSchema({ mixed })[0]!.kind, 'categorical');
  assert.match((readValue('2.1.2026', 'date', 'json') as { message: string }).message, /must be a date/);
});

test('terms of any script: case, emoji, scripts without spaces, marks', () => {
  const termsOf = (text: string, wanted = 'words'): number[] => {
    const hashes: number[] = [];
    readTerms(text, (kind, hash) => kind === wanted && hashes.push(hash));
    return hashes;
  };
  for (const [one, other] of [
    ['Äiti', 'äiti'],
    ['ΑΒΓ', 'αβγ'],
    ['ЁЖИК', 'ёжик'],
    ['FREE', 'free'],
  ])
    assert.deepEqual(termsOf(one!), termsOf(other!));
  assert.equal(termsOf('日本語').length, 3);
  assert.equal(termsOf('日本語', 'pairs').length, 2);
  assert.equal(termsOf('fine🙂🙃').length, 3);
  assert.notEqual(termsOf('🙂')[0], termsOf('🙃')[0]);
  assert.equal(termsOf('win £100 now!').length, 5);
  assert.deepEqual(termsOf(' \u00a0—…\u3000、 '), []);
  assert.equal(termsOf('\ud83d').length, 1, 'half an emoji does no harm');
  // " ab ": ab bounded on both sides has two runs of three and one of four.
  assert.equal(termsOf('ab', 'grams').length, 3);
  assert.deepEqual(
    readTerms('Ab 1', () => {}),
    { characterCount: 4, wordCount: 2, digitCount: 1, capitalCount: 1 },
  );
});

test('texts: vectors of length one, missing is not empty, a megabyte does no harm', () => {
  const values = many(200, (index) => `the parcel ${['late', 'lost', 'fine'][index % 3]} number ${index}`);
  const encoding = fitText('note', values, 1);
  const encode = textEncoder(encoding);
  const width = textWidth(encoding);
  const encoded = (text: string | null): Float64Array => {
    const out = new Float64Array(width);
    encode(text, out, 0);
    return out;
  };
  const one = encoded('The parcel was LOST');
  const wordEnd = textShapes.length + encoding.words.hashes.length;
  const squares = one.subarray(textShapes.length, wordEnd).reduce((sum, weight) => sum + weight * weight, 0);
  assert.ok(Math.abs(Math.sqrt(squares) - heaviestTerm) < 2);
  assert.ok(encoded(null).subarray(0, textShapes.length).every(Number.isNaN));
  assert.ok(encoded('').every((value) => value === 0));
  for (const text of ['lost '.repeat(200_000), 'x'.repeat(1_000_000), '🙂'.repeat(300_000)])
    assert.ok(encoded(text).every((value) => Number.isFinite(value) && value >= 0 && value <= heaviestTerm));
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => encoded(text).every(Number.isFinite)));
});

test('terms of a text are bounded, the most frequent first; those in all or in one text are none', () => {
  const random = seededRandom(4);
  const values = many(
    3000,
    (index) =>
      many(12, () => `w${Math.floor(random.next() ** 3 * 20_000)}`).join(' ') + ` everywhere once${index}`,
  );
  const { words, pairs, grams } = fitText('note', values, 1);
  assert.ok(words.hashes.length <= 2048 && pairs.hashes.length <= 1024 && grams.hashes.length <= 1024);
  assert.ok(words.hashes.length > 1000);
  assert.ok(words.weights.every((weight, index) => index === 0 || weight >= words.weights[index - 1]!));
  let everywhere = 0;
  readTerms('everywhere', (kind, hash) => kind === 'words' && (everywhere = hash));
  assert.ok(!words.hashes.includes(everywhere));
});

test('codes are told from prose', () => {
  const uuids = many(60, (index) => `3f2b7c1e-0000-4000-8000-${String(index % 40).padStart(12, '0')}`);
  const urls = many(60, (index) => `https://example.org/shop/item-${index}?from=mail`);
  const japanese = many(
    60,
    (index) =>
      `${'今日はとても天気がいいので公園まで散歩に行きました。'.slice(index % 5)}${index}番目の文章です`,
  );
  assert.deepEqual(
    inferSchema({ uuids, urls, japanese }).map(({ kind }) => kind),
    ['categorical', 'text', 'text'],
  );
  assert.ok(isCode('AB-12_x') && !isCode('two words') && !isCode('a/b'));
});

test('columns that cannot help are left out, with the reason', () => {
  const count = 3000;
  const frame = frameOf(
    {
      uuid: many(count, (index) => `id-${index}`),
      nearly: many(count, (index) => `code${index < 100 ? index % 50 : index}`),
      customer_id: many(count, (index) => ((index * 7919) % 100_003) + 5),
      rare: many(count, (index) => Number(index === 7)),
      empty: many(count, (index) => (index < 2 ? 'x' : null)),
      blank: many(count, () => ''),
      none: many(count, () => null),
      fair: many(count, (index) => index % 500 === 7),
    },
    {
      uuid: 'categorical',
      nearly: 'categorical',
      customer_id: 'numeric',
      rare: 'numeric',
      empty: 'categorical',
      blank: 'categorical',
      none: 'text',
      fair: 'boolean',
    },
  );
  const { encoding, dropped } = fitEncoding(frame);
  assert.deepEqual(
    encoding.map(({ column }) => column),
    ['fair'],
  );
  const reasons = Object.fromEntries(dropped.map(({ column, reason }) => [column, reason]));
  assert.match(reasons['uuid']!, /identifier/);
  assert.match(reasons['nearly']!, /identifier: nearly/);
  assert.match(reasons['customer_id']!, /identifier/);
  assert.match(reasons['rare']!, /nearly every value is the same: only 1 of 3000/);
  assert.match(reasons['empty']!, /nearly every value is missing: only 2/);
  assert.match(reasons['blank']!, /same/);
  assert.match(reasons['none']!, /missing/);
});

test('skewed numbers have a logarithm for learners that weigh them; trees do not see it', () => {
  const random = seededRandom(2);
  const frame = frameOf(
    {
      income: many(500, () => Math.exp(8 + 2 * (random.next() + random.next() + random.next()))),
      even: many(500, () => random.next()),
      huge: many(500, (index) => (index % 2 ? 1e300 : -1e300)),
    },
    { income: 'numeric', even: 'numeric', huge: 'numeric' },
  );
  const { encoding } = fitEncoding(frame);
  const table = encodeFrame(frame, encoding);
  assert.deepEqual(
    table.features.map(({ name }) => name),
    ['income', 'income (log)', 'even', 'huge'],
  );
  const [raw, scaled] = table.columns as [Float64Array, Float64Array];
  const byRaw = [...raw.keys()].sort((a, b) => raw[a]! - raw[b]!);
  assert.ok(byRaw.every((row, index) => index === 0 || scaled[row]! >= scaled[byRaw[index - 1]!]!));
  const view = viewOf(table, { ordersOnly: true });
  assert.ok(view.columns[1]!.every((value) => value === 0));
  assert.equal(view.columns[0], table.columns[0]);
});

/** Categories `c0` to `c<count - 1>`, two rows or more each, and a target. */
function categoryInput(targetOf: (category: number, random: () => number) => number) {
  const random = seededRandom(8);
  const rowCount = 900;
  const cities = many(rowCount, (index) => index % 300);
  const frame = frameOf(
    {
      city: cities.map((city, index) => (index % 50 === 49 ? null : `c${city}`)),
      x: many(rowCount, () => random.next()),
    },
    { city: 'categorical', x: 'numeric' },
  );
  const actual = Float64Array.from(cities, (city) => targetOf(city, () => random.next()));
  const folds = foldRows({ rowCount, foldCount: 3, seed: 5 });
  return { frame, encoding: fitEncoding(frame).encoding, folds, actual, classes: ['no', 'yes'], seed: 3 };
}

test('a fold sees nothing of the targets of its validation rows, and no row its own', () => {
  const input = categoryInput((_, random) => Number(random() < 0.5));
  const { table } = encodeWithStatistics(input);
  const [{ validation, training }] = input.folds as [(typeof input.folds)[0]];
  const ofFold = (one: typeof table, fold: number): number[][] =>
    one.features.flatMap((feature, index) =>
      feature.fold === fold ? [Array.from(one.columns[index]!)] : [],
    );
  const changed = input.actual.slice();
  for (const row of validation) changed[row] = 1 - changed[row]!;
  const other = encodeWithStatistics({ ...input, actual: changed }).table;
  assert.deepEqual(ofFold(other, 0), ofFold(table, 0));
  assert.notDeepEqual(ofFold(other, 1), ofFold(table, 1));
  // Two training rows exchange their targets: the mean stays, and neither row sees a difference of its own making.
  const codes = (input.frame.columns[0] as { codes: Int32Array }).codes;
  const lonely = training.filter(
    (row) => codes[row]! >= 0 && training.every((peer) => peer === row || codes[peer] !== codes[row]),
  );
  const high = lonely.find((row) => input.actual[row] === 1)!;
  const low = lonely.find((row) => input.actual[row] === 0)!;
  const exchanged = input.actual.slice();
  [exchanged[high], exchanged[low]] = [0, 1];
  const third = encodeWithStatistics({ ...input, actual: exchanged }).table;
  const [mine] = ofFold(table, 0);
  const [theirs] = ofFold(third, 0);
  assert.equal(theirs![high], mine![high]);
  assert.equal(theirs![low], mine![low]);
});

test('validation rows and new rows see the smoothed means; unseen categories see the mean of all', () => {
  const input = categoryInput((city) => city % 2);
  const { encoding, table } = encodeWithStatistics(input);
  const entry = encoding[0]!;
  assert.ok(entry.kind === 'category' && entry.statistics);
  const { statistics } = entry;
  // Every fiftieth is missing.
  assert.equal(statistics.categories.length, 294);
  const fold = statistics.folds[1]![0]!;
  const { training, validation } = input.folds[1]!;
  const codes = (input.frame.columns[0] as { codes: Int32Array }).codes;
  const place = table.features.findIndex((feature) => feature.fold === 1);
  const mean = training.reduce((sum, row) => sum + input.actual[row]!, 0) / training.length;
  assert.ok(Math.abs(fold.prior - mean) < 1e-5);
  for (const row of validation) {
    if (codes[row]! < 0) continue;
    const own = training.filter((peer) => codes[peer] === codes[row]);
    const sum = own.reduce((total, peer) => total + input.actual[peer]!, 0);
    assert.ok(Math.abs(table.columns[place]![row]! - (sum + 10 * mean) / (own.length + 10)) < 1e-5);
  }
  const unseen = featuresByName(encoding, { city: 'never', x: 0 });
  assert.equal(unseen.get('city (share of rows)'), 0);
  assert.equal(unseen.get('city (mean of "yes", fold 2)'), fold.prior);
  assert.ok(Number.isNaN(featuresByName(encoding, { city: null, x: 0 }).get('city (mean of "yes", fold 2)')));
});

test('a view shows the statistics of its fold alone, and the same bits of all else', () => {
  const { table } = encodeWithStatistics(categoryInput((city) => city % 2));
  const view = viewOf(table, { fold: 2 });
  table.features.forEach(({ fold }, index) => {
    if (fold === undefined || fold === 2) assert.equal(view.columns[index], table.columns[index]);
    else assert.ok(view.columns[index]!.every((value) => value === 0));
  });
  assert.equal(viewOf(view, { fold: 2 }).columns.length, view.columns.length);
});

test('100,000 categories: tables stay bounded', () => {
  const rowCount = 200_000;
  const codes = Int32Array.from({ length: rowCount }, (_, row) => row >> 1);
  const categories = many(100_000, (index) => `c${String(index).padStart(6, '0')}`);
  const frame: Frame = { rowCount, columns: [{ name: 'c', kind: 'categorical', codes, categories }] };
  const { encoding } = fitEncoding(frame);
  const actual = Float64Array.from(codes, (_, row) => row % 3);
  const folds = foldRows({ rowCount, foldCount: 4, seed: 1 });
  const fitted = encodeWithStatistics({ frame, encoding, folds, actual, classes: ['a', 'b', 'c'], seed: 1 });
  const entry = fitted.encoding[0]!;
  assert.ok(entry.kind === 'category' && entry.categories.length === 250);
  assert.ok(entry.statistics!.categories.length <= 10_000);
  assert.ok(JSON.stringify(fitted.encoding).length < 4_000_000);
});
