// A report of monitoring over 65 columns, as a worker makes it: the first about a model version, which reads the training
// data, and a later one, which reads the sketches that were kept. Usage: node bench/drift.ts [rows]
// Prints processor and wall time, the size of the report and of the kept sketches, and how resident memory grows when
// there are four times as many rows; goals: under 500 kB, under 5 s of wall time for 150,000 rows, memory that stays.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { dayMs } from '../src/base/time.ts';
import { loggedDayMs, makeLog, makeTraining, openFolder } from '../src/pipeline/monitor/report.fixture.ts';
import { run, type Reference, type ReportTaskInput } from '../src/pipeline/monitor/report-task.ts';

const noise = 60;

interface Measured {
  wallMs: number;
  cpuMs: number;
  reportBytes: number;
  peakMebibytes: number;
  rowCount: number;
}

// The process of one report, so that its peak of memory is its own.
if (process.send) {
  process.once('message', (message) => {
    void (async () => {
      const { input, workFolder } = message as { input: ReportTaskInput; workFolder: string };
      const cpu = process.cpuUsage();
      const begunMs = performance.now();
      const { details, rowCount } = await run(input, {
        jobId: 'bench',
        attempt: 1,
        workFolder,
        signal: new AbortController().signal,
        report: () => undefined,
        progress: () => undefined,
      });
      const { user, system } = process.cpuUsage(cpu);
      const measured: Measured = {
        wallMs: performance.now() - begunMs,
        cpuMs: (user + system) / 1000,
        reportBytes: Buffer.byteLength(JSON.stringify(details)),
        peakMebibytes: process.resourceUsage().maxRSS / 1024,
        rowCount,
      };
      process.send!(measured, () => process.disconnect());
    })();
  });
} else {
  await compare(Number(process.argv[2] ?? 150_000));
}

async function compare(rowCount: number): Promise<void> {
  console.log(`machine: ${cpus().length} x ${cpus()[0]?.model.trim()}, Node ${process.version}`);
  const folder = await mkdtemp(join(tmpdir(), 'pilvi-bench-'));
  try {
    for (const rows of [rowCount, 4 * rowCount]) await reportsOver(rows, join(folder, String(rows)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function reportsOver(rowCount: number, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const engine = await openFolder(folder);
  const made = await makeTraining(engine, folder, { rowCount, noise });
  const { watched, contentPath, modelPath } = made;
  const moved = { amountBy: 20, newCityShare: 0.1 };
  const file = await makeLog(engine, folder, { rowCount, watched, noise, moved });
  engine.close();
  const input = (reference: Reference): ReportTaskInput => ({
    watched,
    model: { task: 'binary', classes: ['no', 'yes'], positiveClass: 'yes', metric: 'auc', trainedScore: 0.9 },
    importance: {},
    modelPath,
    isRedacted: false,
    reference,
    why: null,
    current: { files: [file], outcomePaths: [], fromMs: loggedDayMs, toMs: loggedDayMs + dayMs },
  });
  const first = join(folder, 'first');
  const later = join(folder, 'later');
  const sketches = join(first, 'reference.sketches');
  print(
    'first',
    watched.length,
    await measure(input({ kind: 'training', keptPath: null, contentPath }), first),
  );
  print(
    'later',
    watched.length,
    await measure(input({ kind: 'training', keptPath: sketches, contentPath }), later),
  );
  console.log(`kept sketches of the training data: ${((await stat(sketches)).size / 1000).toFixed(0)} kB`);
}

async function measure(input: ReportTaskInput, workFolder: string): Promise<Measured> {
  await mkdir(workFolder);
  const child = fork(new URL(import.meta.url));
  child.send({ input, workFolder });
  const [measured] = (await once(child, 'message')) as [Measured];
  await once(child, 'exit');
  return measured;
}

function print(name: string, columns: number, measured: Measured): void {
  const { wallMs, cpuMs, reportBytes, peakMebibytes, rowCount } = measured;
  console.log(
    `${name} report, ${columns} columns x ${rowCount} rows: ${(wallMs / 1000).toFixed(1)} s of wall time, ` +
      `${(cpuMs / 1000).toFixed(1)} s of processor time, ${(reportBytes / 1000).toFixed(0)} kB, ` +
      `peak ${peakMebibytes.toFixed(0)} MiB`,
  );
}
