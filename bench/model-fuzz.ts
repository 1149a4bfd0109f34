// Mutated model files of every learner, as many as asked for: each must be refused with a problem or answer with numbers;
// none may hang, crash or take the memory. Files are made and opened in a process of its own, which says where it is; when it
// stands still or dies, the file it was at is named, and can be made again by its number.
//   nice node bench/model-fuzz.ts [FILES, 1000000] [FIRST, 0]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { goldenModels } from '../src/ml/model/testing/golden.ts';
import { freshSigner } from '../src/ml/model/testing/mend.ts';
import { mutant, sourceOf } from '../src/ml/model/testing/mutate.ts';
import { survives } from '../src/ml/model/testing/survive.ts';

const script = fileURLToPath(import.meta.url);
const heapMiB = 256;
const mostResidentMiB = 700;
/** One file takes milliseconds; this machine may be busy. */
const patienceMs = 60_000;
const saidEvery = 500;

const [first, second, third] = process.argv.slice(2);
if (first === 'work') await work(Number(second), Number(third));
else await supervise(Number(first ?? 1_000_000), Number(second ?? 0));

async function supervise(count: number, begin: number): Promise<void> {
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${heapMiB}`, script, 'work', `${begin}`, `${count}`],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let last = 'nothing yet';
  let watch = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    last = text.trimEnd().split('\n').at(-1)!;
    clearTimeout(watch);
    watch = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(watch);
  console.log(last);
  if (code === 0) return;
  console.log(`ended by ${signal ?? code}: a file among the ${saidEvery} after these`);
  process.exitCode = 1;
}

async function work(begin: number, count: number): Promise<void> {
  const models = goldenModels().filter(({ format }) => format === 2);
  const sources = await Promise.all(models.map(({ file }) => sourceOf(file)));
  const signer = await freshSigner();
  const seen = { opened: 0, refused: 0 };
  const begunMs = performance.now();
  for (let number = begin; number < begin + count; number++) {
    const source = sources[number % sources.length]!;
    try {
      seen[await survives(await mutant(source, number, signer), source.file)]++;
    } catch (error) {
      throw new Error(`file ${number}, of ${models[number % models.length]!.name}`, { cause: error });
    }
    if ((number + 1) % saidEvery !== 0) continue;
    const residentMiB = Math.round(process.memoryUsage.rss() / 1_048_576);
    if (residentMiB > mostResidentMiB) throw new Error(`${residentMiB} MiB resident at file ${number}`);
    const { user, system } = process.cpuUsage();
    const [cpu, wall] = [(user + system) / 1e6, (performance.now() - begunMs) / 1000];
    console.log(
      `${number + 1 - begin} files from ${begin}: ${seen.refused} refused, ${seen.opened} opened, ${residentMiB} MiB, ${cpu.toFixed(0)} s of CPU, ${wall.toFixed(0)} s`,
    );
  }
}
