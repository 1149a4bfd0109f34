// `pilvi fit`, `predict`, `explain` and `export` as processes on real files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { seededRandom } from '../../../base/random.ts';
import { onlyNode, readOnnx } from '../../../ml/onnx/testing.ts';
import { openDataEngine } from '../../../platform/drivers/duckdb.ts';
import { sql } from '../../../platform/ports/data-engine.ts';
import { runPilvi, temporaryFolder } from '../testing.ts';

type Row = Record<string, string | number | null>;

/** Flowers of two kinds, "a, b" and "ü", told apart by their length; a few values are missing. */
function flowers(rowCount: number, seed = 1): Row[] {
  const random = seededRandom(seed);
  return Array.from({ length: rowCount }, (_, index) => {
    const isFirst = index % 2 === 0;
    return {
      length: Number((random.next() + (isFirst ? 0.6 : 0)).toFixed(3)),
      colour: index % 7 === 3 ? null : ['red', 'blue', 'white'][random.below(3)]!,
      weight: Number((random.next() * 10).toFixed(2)),
      kind: isFirst ? 'a, b' : 'ü',
    };
  });
}

function textOf(rows: readonly Row[], delimiter: string): string {
  const field = (value: string | number | null): string => {
    const text = value === null ? '' : String(value);
    return text.includes(delimiter) ? `"${text}"` : text;
  };
  const lines = [Object.keys(rows[0]!), ...rows.map((row) => Object.values(row))];
  return lines.map((line) => `${line.map(field).join(delimiter)}\n`).join('');
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

const quick = ['--trials', '3', '--seed', '7'];

test('the same answers for the same rows, in whatever format they come', async () => {
  await using folder = await temporaryFolder();
  const rows = flowers(120);
  const csv = folder.at('flowers.csv');
  await writeFile(csv, textOf(rows, ','));
  await writeFile(folder.at('flowers.tsv'), textOf(rows, '\t'));
  await writeFile(folder.at('semicolons.csv.gz'), gzipSync(textOf(rows, ';')));
  await writeFile(folder.at('flowers.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await toParquet(csv, folder.at('flowers.parquet'), folder.path);

  const model = folder.at('flowers.pilvi');
  const fitted = await runPilvi(['fit', csv, '--target', 'kind', ...quick, '--out', model]);
  assert.equal(fitted.code, 0, fitted.stderr);
  assert.match(fitted.stdout, /on rows that training never saw/);
  assert.match(fitted.stdout, /flowers\.pilvi/);

  const outcomes = [];
  for (const name of [
    'flowers.csv',
    'flowers.tsv',
    'semicolons.csv.gz',
    'flowers.jsonl',
    'flowers.parquet',
  ]) {
    const { code, stdout, stderr } = await runPilvi(['predict', model, folder.at(name)]);
    assert.equal(code, 0, stderr);
    outcomes.push(stdout);
  }
  const [first, ...others] = outcomes;
  for (const other of others) assert.equal(other, first);
  const lines = linesOf(first!);
  assert.equal(lines[0], 'prediction,"probability_a, b",probability_ü');
  assert.equal(lines.length, rows.length + 1);
  const hits = rows.filter((row, index) =>
    lines[index + 1]!.startsWith(row['kind'] === 'ü' ? 'ü,' : '"a, b",'),
  ).length;
  assert.ok(hits > 90, `${hits} of 120`);
});

test('the same seed, data and trials give the same bytes', async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.at('flowers.csv'), textOf(flowers(80), ','));
  const hashes = [];
  for (const name of ['one.pilvi', 'two.pilvi']) {
    const words = [
      'fit',
      folder.at('flowers.csv'),
      '--target',
      'kind',
      ...quick,
      '--out',
      folder.at(name),
      '--json',
    ];
    const { code, stdout } = await runPilvi(words);
    assert.equal(code, 0, stdout);
    hashes.push(
      createHash('sha256')
        .update(await readFile(folder.at(name)))
        .digest('hex'),
    );
  }
  assert.equal(hashes[0], hashes[1]);
});

test('a regression gives intervals, and tells everything as JSON', async () => {
  await using folder = await temporaryFolder();
  const random = seededRandom(3);
  const rows = Array.from({ length: 150 }, (_, index) => {
    const size = random.next() * 100;
    return {
      size: Number(size.toFixed(2)),
      price: Number((size * 3 + random.next() * 20 + 0.5).toFixed(2)),
      number: index,
    };
  });
  const file = folder.at('houses.csv');
  const model = folder.at('houses.pilvi');
  await writeFile(file, textOf(rows, ','));
  const fitted = await runPilvi([
    'fit',
    file,
    '--target',
    'price',
    '--metric',
    'mae',
    ...quick,
    '--out',
    model,
    '--json',
  ]);
  assert.equal(fitted.code, 0, fitted.stdout);
  const fit = JSON.parse(fitted.stdout) as Record<string, unknown>;
  assert.equal(fit['task'], 'regression');
  assert.equal(fit['metric'], 'mae');
  assert.equal(fit['file'], model);
  assert.equal(fit['rowCount'], 150);
  assert.equal((fit['leaderboard'] as unknown[]).length, 3);

  const answers = folder.at('answers.csv');
  const predicted = await runPilvi(['predict', model, file, '--out', answers, '--json']);
  assert.deepEqual(JSON.parse(predicted.stdout), { rowCount: 150, warnings: [], file: answers });
  const [heading, ...lines] = linesOf(await readFile(answers, 'utf8'));
  assert.equal(heading, 'prediction,lower,upper');
  for (const [prediction, lower, upper] of lines.map((line) => line.split(',').map(Number))) {
    assert.ok(lower! <= prediction! && prediction! <= upper!);
  }
  const explained = await runPilvi(['explain', model, '--json']);
  const { target, importance, card } = JSON.parse(explained.stdout) as {
    target: string;
    importance: { column: string }[];
    card: string;
  };
  assert.equal(target, 'price');
  assert.equal(importance[0]!.column, 'size');
  assert.match(card, /^# /);
  const shown = await runPilvi(['explain', model]);
  assert.match(shown.stdout, /^column +importance$/m);
});

test('rows without the target, without a column, or with values never seen are answered; the reader is told', async () => {
  await using folder = await temporaryFolder();
  const model = folder.at('model.pilvi');
  await writeFile(folder.at('train.csv'), textOf(flowers(100), ','));
  assert.equal(
    (await runPilvi(['fit', folder.at('train.csv'), '--target', 'kind', ...quick, '--out', model])).code,
    0,
  );
  await writeFile(folder.at('some.csv'), 'length,colour,extra\n0.1,purple,x\n1.4,,y\n,red,z\n');
  const { code, stdout, stderr } = await runPilvi(['predict', model, folder.at('some.csv')]);
  assert.equal(code, 0, stderr);
  assert.equal(linesOf(stdout).length, 4);
  assert.match(stderr, /lacks columns .*"weight"/);
  await writeFile(folder.at('words.csv'), 'length,colour,weight\nlong,red,1\nshort,red,2\n');
  const words = await runPilvi(['predict', model, folder.at('words.csv')]);
  assert.equal(words.code, 1);
  assert.match(words.stderr, /length/);
});

test('what cannot be done is told before time is spent, with the name of the file', async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.at('flowers.csv'), textOf(flowers(60), ','));
  await writeFile(folder.at('empty.csv'), '');
  await writeFile(folder.at('header.csv'), 'a,b\n');
  await writeFile(folder.at('not-a-model.pilvi'), 'PK something else');
  await mkdir(folder.at('folder'));
  const fit = (file: string, ...more: string[]) => [
    'fit',
    folder.at(file),
    '--target',
    'kind',
    ...quick,
    ...more,
  ];
  const wrong: [string[], string, RegExp][] = [
    [fit('nowhere.csv'), 'file-not-found', /There is no file or folder ".*nowhere\.csv"/],
    [fit('folder'), 'file-not-found', /is a folder, not a file/],
    [fit('empty.csv'), 'file-empty', /empty/],
    [fit('header.csv'), 'file-empty', /no rows/],
    [fit('flowers.csv', '--out', folder.at('missing/model.pilvi')), 'file-not-found', /missing/],
    [
      fit('flowers.csv', '--out', folder.at('folder')),
      'file-not-accessible',
      /is a folder; name a file in it/,
    ],
    [fit('flowers.csv', '--metric', 'accuracee'), 'invalid-request', /accuracee/],
    [['fit', folder.at('flowers.csv'), '--target', 'knd', ...quick], 'column-unknown', /"knd"/],
    [['predict', folder.at('nowhere.pilvi'), folder.at('flowers.csv')], 'file-not-found', /nowhere\.pilvi/],
    [
      ['predict', folder.at('not-a-model.pilvi'), folder.at('flowers.csv')],
      'model-file-invalid',
      /not-a-model\.pilvi/,
    ],
    [['explain', folder.at('not-a-model.pilvi')], 'model-file-invalid', /not-a-model\.pilvi/],
  ];
  for (const [words, problemCode, detail] of wrong) {
    const { code, stdout } = await runPilvi([...words, '--json'], { cwd: folder.path });
    assert.equal(code, 1, `${words.join(' ')}\n${stdout}`);
    const problem = JSON.parse(stdout) as { code: string; detail: string };
    assert.equal(problem.code, problemCode, problem.detail);
    assert.match(problem.detail, detail);
  }
});

test('a model file becomes an ONNX file, unless it has a part that ONNX has no words for', async () => {
  await using folder = await temporaryFolder();
  const rows = flowers(120);
  await writeFile(folder.at('flowers.csv'), textOf(rows, ','));
  await writeFile(folder.at('notes.csv'), textOf(rows.map(withNote), ','));
  for (const name of ['flowers', 'notes']) {
    const { code, stderr } = await runPilvi(
      ['fit', `${name}.csv`, '--target', 'kind', ...quick, '--out', `${name}.pilvi`],
      { cwd: folder.path },
    );
    assert.equal(code, 0, stderr);
  }
  const exported = await runPilvi(['export', 'flowers.pilvi', '--json'], { cwd: folder.path });
  assert.equal(exported.code, 0, exported.stdout);
  const bytes = await readFile(folder.at('flowers.onnx'));
  assert.deepEqual(JSON.parse(exported.stdout), {
    file: 'flowers.onnx',
    sizeBytes: bytes.length,
    format: 'onnx',
  });
  const onnx = readOnnx(bytes);
  assert.deepEqual(
    onnx.outputs.map(({ name }) => name),
    ['label', 'probabilities'],
  );
  assert.deepEqual(onlyNode(onnx, 'LabelEncoder').inputs, ['colour']);

  const refused = await runPilvi(
    ['export', 'notes.pilvi', '--format', 'onnx', '--out', 'notes.onnx', '--json'],
    { cwd: folder.path },
  );
  assert.equal(refused.code, 1, refused.stdout);
  const problem = JSON.parse(refused.stdout) as { code: string; detail: string };
  assert.equal(problem.code, 'export-unsupported');
  assert.match(problem.detail, /the text column "note"/);
  assert.ok(!(await readdir(folder.path)).includes('notes.onnx'));
});

/** The row with words that tell its kind, each different. */
function withNote(row: Row, index: number): Row {
  const opinion = row['kind'] === 'ü' ? 'a rather short one' : 'long and lovely';
  return {
    note: `${opinion}, seen on walk ${index} near ${['a lake', 'the road', 'our house'][index % 3]!}`,
    ...row,
  };
}

test('a model is signed with the key of the machine, and one that is not, or was changed, is told apart', async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.at('flowers.csv'), textOf(flowers(80), ','));
  const environment = { PILVI_HOME: folder.at('home') };
  const run = async (...words: string[]) => {
    const { code, stdout } = await runPilvi([...words, '--json'], { cwd: folder.path, environment });
    return { code, answer: JSON.parse(stdout) as Record<string, unknown> };
  };
  const fit = ['fit', 'flowers.csv', '--target', 'kind', ...quick];
  const own = (await run(...fit, '--out', 'own.pilvi')).answer['signer'] as string;
  assert.match(own, /^[0-9a-f]{64}$/);
  assert.equal((await run(...fit, '--out', 'plain.pilvi', '--no-sign')).answer['signer'], null);
  assert.equal((await run('model', 'verify', 'own.pilvi')).answer['isOwn'], true);
  const trusting = await run('model', 'verify', 'own.pilvi', '--trust', own);
  assert.deepEqual([trusting.code, trusting.answer['isTrusted']], [0, true]);
  assert.equal((await run('model', 'verify', 'plain.pilvi')).answer['signer'], null);
  for (const words of [
    ['model', 'verify', 'plain.pilvi', '--trust', own],
    ['predict', 'plain.pilvi', 'flowers.csv', '--trust', own],
    ['predict', 'own.pilvi', 'flowers.csv', '--trust', '0'.repeat(64)],
  ])
    assert.equal((await run(...words)).answer['code'], 'model-file-untrusted');
  assert.equal((await run('predict', 'own.pilvi', 'flowers.csv', '--trust', own)).code, 0);
  const changed = await readFile(folder.at('own.pilvi'));
  changed[changed.length - 9]! ^= 1;
  await writeFile(folder.at('own.pilvi'), changed);
  assert.equal((await run('model', 'verify', 'own.pilvi')).answer['code'], 'model-file-invalid');
  const misspelt = await runPilvi(['model', 'verify', 'own.pilvi', '--trust', 'me'], { cwd: folder.path });
  assert.deepEqual([misspelt.code, /64 hexadecimal digits/.test(misspelt.stderr)], [2, true]);

  // A home that is a file can keep no key: the model is made all the same.
  const homeless = await runPilvi([...fit, '--out', 'homeless.pilvi', '--json'], {
    cwd: folder.path,
    environment: { PILVI_HOME: folder.at('flowers.csv') },
  });
  assert.equal(homeless.code, 0, homeless.stderr);
  assert.match(homeless.stderr, /will not be signed/);
  assert.equal((JSON.parse(homeless.stdout) as { signer: unknown }).signer, null);
});

test('Ctrl-C ends a fit at once with 130 and leaves nothing behind', async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.at('flowers.csv'), textOf(flowers(400), ','));
  const before = await readdir(folder.path);
  for (const json of [[], ['--json']]) {
    const words = ['fit', folder.at('flowers.csv'), '--target', 'kind', '--budget', '10m', ...json];
    const { code, stdout } = await runPilvi(words, { cwd: folder.path, interruptAt: 'Baseline' });
    assert.equal(code, 130);
    if (json.length === 0) assert.equal(stdout, '');
    else assert.equal((JSON.parse(stdout) as { code: string }).code, 'cancelled');
    assert.deepEqual(await readdir(folder.path), before);
  }
});

async function toParquet(csv: string, parquet: string, workFolder: string): Promise<void> {
  const engine = await openDataEngine({
    memoryBytes: 128 * 1024 ** 2,
    threads: 1,
    workFolder,
    maxSpillBytes: 1024 ** 3,
    readablePaths: [csv],
  });
  try {
    await engine.run(sql`COPY (FROM read_csv(${csv})) TO ${parquet} (FORMAT parquet)`);
  } finally {
    engine.close();
  }
}
