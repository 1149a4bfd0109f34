// Bad data through the front door: each file is uploaded, imported and, where that goes well, learned from. What comes
// out is a problem that says what is wrong, or a table that holds what the file held; and nothing is left behind.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Problem, type ProblemCode } from '../src/base/problems.ts';
import { problemSchema } from '../src/contract/problem.ts';
import { PilviError } from '../src/sdk/pilvi-error.ts';
import { seededRandom } from '../src/base/random.ts';
import { until } from './product.ts';
import { assertLeaksNothing, openServer, type TestServer } from './server.ts';
import { importTable, tableOf } from './world.ts';

const mebibyte = 1_048_576;
let server: TestServer;
let projectId: string;
let fileCount = 0;

before(async () => {
  server = await openServer();
  projectId = (await server.client.listProjects({})).items[0]!.id;
});
after(() => server?.close());

/** Imports a file of these bytes and returns the version. Throws PilviError with the problem of the import. */
async function imported(content: string | Uint8Array<ArrayBuffer>) {
  const { versionId } = await importTable(server.client, {
    projectId,
    name: `file ${(fileCount += 1)}`,
    content,
  });
  return await server.client.getDatasetVersion({ versionId });
}

async function assertRefused(work: Promise<unknown>, codes: readonly ProblemCode[]): Promise<void> {
  const error = await work.then(
    () => assert.fail(`expected ${codes.join(' or ')}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PilviError)) throw error;
  assert.ok(codes.includes(error.problem.code as ProblemCode), JSON.stringify(error.problem));
  problemSchema.parse(error.problem);
  assertLeaksNothing(server, JSON.stringify(error.problem));
}

const bytes = (text: string, encoding: BufferEncoding = 'utf8'): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(text, encoding));

const firstHalf = (whole: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(whole.subarray(0, Math.floor(whole.length / 2)));

describe('files that are refused', () => {
  const header = Array.from({ length: 10_001 }, (_, index) => `c${index}`).join(',');
  const files: [string, () => string | Uint8Array<ArrayBuffer>, ProblemCode[]][] = [
    ['a header and no row', () => 'a,b\n', ['file-empty']],
    ['only line ends', () => '\n\n\n', ['file-empty']],
    ['only spaces', () => '   ', ['file-empty']],
    ['only a byte order mark', () => new Uint8Array([0xef, 0xbb, 0xbf]), ['file-empty']],
    ['rows of different lengths', () => 'a,b\n1,2\n3\n4,5,6\n', ['row-ragged']],
    ['bytes of nothing', () => new Uint8Array(1000).fill(0xff), ['file-unreadable', 'file-empty']],
    ['zeros', () => new Uint8Array(100_000), ['file-unreadable', 'file-empty']],
    ['10,001 columns', () => `${header}\n${header.replaceAll('c', '')}\n`, ['too-many-columns']],
    ['a field of 50 MB', () => `a,b\n1,${'x'.repeat(50 * mebibyte)}\n`, ['field-too-large']],
    [
      'a quote that never ends',
      () => `a,b\n1,"${'x'.repeat(20 * mebibyte)}\n`,
      ['field-too-large', 'file-unreadable'],
    ],
    [
      'a bomb',
      () => new Uint8Array(gzipSync(Buffer.alloc(100 * mebibyte, 'a,b\n'))),
      ['decompression-limit'],
    ],
    ['a gzip that is cut', () => firstHalf(gzipSync(tableOf('cut', 5000))), ['file-unreadable']],
    ['a picture', () => bytes('89504e470d0a1a0a0000000d49484452', 'hex'), ['file-unreadable']],
    [
      'a pickle',
      () => bytes('80049500000000000000008c026f73948c0673797374656d94', 'hex'),
      ['file-unreadable'],
    ],
    ['half a JSON line', () => '{"a":1}\n{"a":', ['file-unreadable']],
  ];
  for (const [what, content, codes] of files) {
    test(`${what}: ${codes.join(' or ')}`, () => assertRefused(imported(content()), codes));
  }

  test('an empty file', async () => {
    const upload = await server.client.createUpload({
      projectId,
      body: { fileName: 'empty.csv', sizeBytes: 0 },
    });
    const source = { kind: 'upload', uploadId: upload.id } as const;
    const preview = server.client.previewImport({ projectId, body: { source } });
    await assertRefused(preview, ['file-empty']);
    const { version } = await server.client.createDataset({ projectId, body: { name: 'empty', source } });
    await until('the import ends', async () => (await stateOf(version.id)) !== 'importing');
    const failed = await server.client.getDatasetVersion({ versionId: version.id });
    assert.deepEqual([failed.state, failed.problem?.code], ['failed', 'file-empty']);
  });

  test('Parquet whose footer lies, or that is cut or damaged anywhere', async () => {
    const { id: versionId } = await imported(tableOf('whole', 3000));
    const whole = await (await server.client.downloadDatasetVersion({ versionId })).bytes();
    const footerBytes = new DataView(whole.buffer, whole.byteOffset).getUint32(whole.length - 8, true);
    const withFooter = (length: number): Uint8Array<ArrayBuffer> => {
      const copy = new Uint8Array(whole);
      new DataView(copy.buffer).setUint32(copy.length - 8, length, true);
      return copy;
    };
    for (const length of [0xffffffff, 0x7fffffff, whole.length, footerBytes + 7, footerBytes - 7, 0])
      await assertRefused(imported(withFooter(length)), ['file-unreadable']);
    await assertRefused(imported(new Uint8Array(whole.subarray(0, whole.length - 3))), ['file-unreadable']);
    const random = seededRandom(3);
    for (let round = 0; round < 8; round++) {
      const copy = new Uint8Array(whole);
      const end = round % 2 === 0 ? copy.length - 8 : copy.length - 8 - footerBytes;
      const start = round % 2 === 0 ? end - footerBytes : 4;
      for (let count = 0; count < 6; count++)
        copy[start + random.below(end - start)]! ^= 1 + random.below(255);
      // What is damaged without contradicting itself is a table, if another one.
      const version = await imported(copy).catch((error: unknown) => {
        if (!(error instanceof PilviError)) throw error;
        const known: string[] = ['file-unreadable', 'field-too-large', 'memory-limit', 'too-many-columns'];
        assert.ok([...known, 'file-empty'].includes(error.problem.code), JSON.stringify(error.problem));
      });
      if (version) assert.equal(version.state, 'ready');
    }
  });
});

describe('files that are odd and are read', () => {
  async function tableIn(content: string | Uint8Array<ArrayBuffer>) {
    const { id: versionId, columns } = await imported(content);
    const { rows } = await server.client.getDatasetRows({ versionId });
    return { types: columns.map(({ name, type }) => `${name} ${type}`), rows };
  }
  const text = 'city,size\nTurku,1\nHämeenlinna,2\n';
  const expected = {
    types: ['city text', 'size integer'],
    rows: [
      ['Turku', 1],
      ['Hämeenlinna', 2],
    ],
  };

  test('with a byte order mark, in UTF-16, in Windows-1252, gzipped', async () => {
    for (const content of [
      bytes(`\ufeff${text}`),
      bytes(`\ufeff${text}`, 'utf16le'),
      bytes(text, 'latin1'),
      new Uint8Array(gzipSync(text)),
      bytes(text.replaceAll('\n', '\r\n')),
      bytes(text.replaceAll(',', ';')),
      bytes(text.slice(0, -1)),
    ])
      assert.deepEqual(await tableIn(content), expected);
  });

  test('with 10,000 columns', async () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `c${index}`);
    const row = names.map((_, index) => index).join(',');
    const version = await imported(`${names.join(',')}\n${row}\n${row}\n`);
    assert.deepEqual([version.columns.length, version.rowCount], [10_000, 2]);
  });

  test('with dates in five formats', async () => {
    const lines = ['iso,german,american,words,instant'];
    for (let day = 1; day <= 28; day++) {
      const two = String(day).padStart(2, '0');
      lines.push(`2024-03-${two},${two}.03.2024,03/${two}/2024,${day} Mar 2024,2024-03-${two}T10:00:00Z`);
    }
    const { types, rows } = await tableIn(`${lines.join('\n')}\n`);
    assert.deepEqual(types, ['iso date', 'german date', 'american date', 'words date', 'instant datetime']);
    for (const [index, row] of rows.entries()) {
      const day = `2024-03-${String(index + 1).padStart(2, '0')}`;
      assert.deepEqual(
        row.map((cell) => String(cell).slice(0, 10)),
        [day, day, day, day, day],
      );
    }
  });

  test('with ragged rows that are to be filled or skipped', async () => {
    for (const [raggedRows, rowCount] of [
      ['fill', 3],
      ['skip', 1],
    ] as const) {
      const content = new Blob(['a,b\n1,2\n3\n4\n']);
      const upload = await server.client.createUpload({ projectId, body: { fileName: 'ragged.csv' } });
      await server.client.appendUpload({ uploadId: upload.id, offset: 0, stream: content });
      const source = { kind: 'upload', uploadId: upload.id } as const;
      const body = { name: `ragged ${raggedRows}`, source, options: { raggedRows } };
      const { version } = await server.client.createDataset({ projectId, body });
      await until('the import ends', async () => (await stateOf(version.id)) !== 'importing');
      const ready = await server.client.getDatasetVersion({ versionId: version.id });
      assert.deepEqual([ready.state, ready.rowCount], ['ready', rowCount], JSON.stringify(ready.problem));
    }
  });
});

describe('targets that cannot be learned', () => {
  const rowCount = 60;
  const columns: Record<string, (row: number) => string | number> = {
    size: (row) => (row * 37) % 101,
    label: (row) => (row % 3 ? 'yes' : 'no'),
    missing: () => '',
    constant: () => 'same',
    unique: (row) => `unique ${row}`,
    date: (row) => `2024-01-${String(1 + (row % 28)).padStart(2, '0')}`,
    few: (row) => (row < 5 ? `v${row % 2}` : ''),
  };
  let versionId: string;
  before(async () => {
    const lines = [Object.keys(columns).join(',')];
    for (let row = 0; row < rowCount; row++)
      lines.push(
        Object.values(columns)
          .map((value) => value(row))
          .join(','),
      );
    versionId = (await imported(`${lines.join('\n')}\n`)).id;
  });

  const refused: [string, object, ProblemCode][] = [
    ['all missing', { target: 'missing' }, 'target-unusable'],
    ['one class', { target: 'constant' }, 'target-unusable'],
    ['all unique', { target: 'unique' }, 'target-unusable'],
    ['dates', { target: 'date' }, 'target-unusable'],
    ['nearly all missing', { target: 'few' }, 'too-few-rows'],
    ['texts as numbers', { target: 'label', task: 'regression' }, 'target-unusable'],
    ['a number with many values as two classes', { target: 'size', task: 'binary' }, 'target-unusable'],
    ['no such column', { target: 'nothing' }, 'column-unknown'],
    ['an unknown excluded column', { target: 'label', excludedColumns: ['nothing'] }, 'column-unknown'],
    ['the target excluded', { target: 'label', excludedColumns: ['label'] }, 'target-unusable'],
    ['an unknown group column', { target: 'label', groupColumn: 'nothing' }, 'column-unknown'],
    ['the target as group column', { target: 'label', groupColumn: 'label' }, 'invalid-request'],
    ['an unknown time column', { target: 'label', timeColumn: 'nothing' }, 'column-unknown'],
    ['texts as time', { target: 'size', timeColumn: 'label' }, 'invalid-request'],
    ['time and groups', { target: 'label', timeColumn: 'date', groupColumn: 'size' }, 'invalid-request'],
    [
      'a constraint on no column',
      { target: 'label', constraints: { increasing: ['nothing'] } },
      'column-unknown',
    ],
    ['a constraint on dates', { target: 'label', constraints: { decreasing: ['date'] } }, 'invalid-request'],
    [
      'up and down',
      { target: 'label', constraints: { increasing: ['size'], decreasing: ['size'] } },
      'invalid-request',
    ],
    ['a ranking without groups', { target: 'size', task: 'ranking' }, 'invalid-request'],
    ['a ranking of words', { target: 'label', task: 'ranking', groupColumn: 'date' }, 'target-unusable'],
    ['an unknown metric', { target: 'label', metric: 'luck' }, 'invalid-request'],
    ['a metric of another task', { target: 'label', metric: 'rmse' }, 'invalid-request'],
    ['an unknown positive class', { target: 'label', positiveClass: 'maybe' }, 'invalid-request'],
  ];
  for (const [what, recipe, code] of refused) {
    test(`${what}: ${code}`, async () => {
      const body = { datasetVersionId: versionId, target: '', ...recipe, budget: { seconds: 5, trials: 1 } };
      await assertRefused(server.client.planTraining({ projectId, body }), [code]);
      const problem = await problemOfTraining(body);
      assert.equal(problem.code, code, JSON.stringify(problem));
    });
  }

  test('nothing to learn from: the model knows how often each class occurs, and the training says so', async () => {
    const excludedColumns = Object.keys(columns).filter((name) => name !== 'label');
    const budget = { seconds: 5, trials: 1 };
    const body = { datasetVersionId: versionId, target: 'label', excludedColumns, budget };
    const { id: trainingId } = await server.client.createTraining({ projectId, body });
    const training = () => server.client.getTraining({ trainingId });
    await until('it ends', async () => !['queued', 'running'].includes((await training()).state));
    const { state, warnings } = await training();
    assert.equal(state, 'succeeded');
    assert.ok(warnings.length > 0, 'a model without inputs is told of');
  });

  test('a version that is not ready', async () => {
    const failed = (await server.client.listDatasets({ projectId, limit: 200 })).items
      .map(({ latestVersion }) => latestVersion)
      .find((version) => version?.state === 'failed');
    const body = { datasetVersionId: failed!.id, target: 'a' };
    await assertRefused(server.client.planTraining({ projectId, body }), ['wrong-state']);
    await assertRefused(server.client.createTraining({ projectId, body }), ['wrong-state']);
  });

  /** Why the training is refused or ends; a training that fails costs nothing. */
  async function problemOfTraining(body: Parameters<typeof server.client.createTraining>[0]['body']) {
    const started = await server.client.createTraining({ projectId, body }).catch((error: unknown) => {
      if (error instanceof PilviError) return error;
      throw error;
    });
    if (started instanceof PilviError) return started.problem;
    const training = (): ReturnType<typeof server.client.getTraining> =>
      server.client.getTraining({ trainingId: started.id });
    await until('it ends', async () => !['queued', 'running'].includes((await training()).state));
    const { state, problem, chargedMicroUsd } = await training();
    assert.deepEqual([state, chargedMicroUsd], ['failed', 0], JSON.stringify(problem));
    assertLeaksNothing(server, JSON.stringify(problem));
    return Problem.fromDocument(problem!).toDocument();
  }
});

test('nothing is left of all this: no file in the work folder, no money held', async () => {
  await until('the work folder is empty', async () => (await server.workFiles()).length === 0);
  assert.deepEqual(await readdir(join(server.home, 'files', 'staging')), []);
  for (const { reservedMicroUsd } of (await server.client.listBudgets({})).items)
    assert.equal(reservedMicroUsd, 0);
  const { items } = await server.client.listJobs({ limit: 200 });
  assert.deepEqual(
    items.filter(({ state }) => state === 'queued' || state === 'running'),
    [],
  );
});

async function stateOf(versionId: string): Promise<string> {
  return (await server.client.getDatasetVersion({ versionId })).state;
}
