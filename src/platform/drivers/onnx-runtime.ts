// Runs graphs of ONNX with onnxruntime-web: the whole runtime as WebAssembly, which can neither open files nor leave its
// own memory, whatever a graph does. That is why it is this one and not the native onnxruntime-node, which is faster and
// runs foreign graphs with the rights of the process. Used in worker processes only: a run cannot be interrupted.
import { readFile } from 'node:fs/promises';
import type * as OnnxRuntime from 'onnxruntime-web/wasm';
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import type { InputType } from '../../ml/onnx/signature-inputs.ts';
import { batchesOf, joinAnswers, type Feed, type FeedAnswer, type GraphRun } from '../../ml/onnx/tensors.ts';

type Runtime = typeof OnnxRuntime;

/** A graph that is ready to run. */
export interface OnnxSession {
  /** @throws Problem `onnx-unsupported` with the words of the runtime, or where the answers are not row by row */
  run(run: GraphRun): Promise<FeedAnswer[]>;
}

const longestReason = 400;
let loading: Promise<Runtime> | undefined;

/** Opens a model. @throws Problem `onnx-unsupported` for what the runtime refuses, `feature-not-installed` without it */
export async function openOnnxSession(bytes: Uint8Array): Promise<OnnxSession> {
  loading ??= load();
  const runtime = await loading;
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(bytes, {
      executionProviders: ['wasm'],
      // Memory is given back after a run instead of being kept for the next.
      enableCpuMemArena: false,
      logSeverityLevel: 4,
    });
  } catch (error) {
    throw refusal('The ONNX runtime does not take the model', error);
  }
  return { run: (run) => runAll(runtime, session, run) };
}

async function load(): Promise<Runtime> {
  let runtime: Runtime;
  try {
    runtime = await import('onnxruntime-web/wasm');
  } catch (error) {
    const detail =
      'Models of others need the package onnxruntime-web, which was left out of this installation.';
    throw new Problem('feature-not-installed', detail, { cause: error });
  }
  const { wasm } = runtime.env;
  // Threads would want memory that is shared, and there is a process for each model already.
  wasm.numThreads = 1;
  wasm.wasmBinary = await readFile(
    new URL(import.meta.resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm')),
  );
  runtime.env.logLevel = 'fatal';
  return runtime;
}

async function runAll(runtime: Runtime, session: InferenceSession, run: GraphRun): Promise<FeedAnswer[]> {
  const parts: FeedAnswer[][] = [];
  const partRowCount = run.batchRowCount ?? run.rowCount;
  for (const feeds of batchesOf(run)) {
    const tensors = Object.fromEntries(
      feeds.map((feed) => [feed.name, tensorOf(runtime, feed, partRowCount)] as const),
    );
    let outputs: InferenceSession.OnnxValueMapType;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one session runs one after the other
      outputs = await session.run(tensors, run.outputs);
    } catch (error) {
      throw refusal('The ONNX runtime could not run the model', error);
    }
    parts.push(run.outputs.map((name) => answerOf(name, outputs[name]!)));
    for (const output of Object.values(outputs)) output.dispose();
  }
  const answers = joinAnswers(parts, run);
  if (!answers)
    throw new Problem('onnx-unsupported', 'The model does not give one answer for each row that goes in.');
  return answers;
}

const arrays = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
} as const satisfies Partial<Record<InputType, unknown>>;

function tensorOf({ Tensor }: Runtime, feed: Feed, rowCount: number): Tensor {
  const { type, columnCount, dimensionCount, values } = feed;
  const shape = dimensionCount === 1 ? [rowCount] : [rowCount, columnCount];
  if (type === 'string') return new Tensor('string', values.map(String), shape);
  const numbers = values.map((value) => (value === null ? NaN : Number(value)));
  if (type === 'int64') return new Tensor('int64', BigInt64Array.from(numbers, BigInt), shape);
  if (type === 'bool') return new Tensor('bool', Uint8Array.from(numbers), shape);
  if (type === 'double') return new Tensor('float64', Float64Array.from(numbers), shape);
  // The types of the package know one name with one array at a time.
  return new Tensor(type as 'float32', arrays[type].from(numbers) as Float32Array, shape);
}

/** Numbers that are not finite are told as null, as JSON has no word for them. */
function answerOf(name: string, { data, dims }: Tensor): FeedAnswer {
  assert(!('then' in data), 'answers of WebAssembly are in memory');
  const values = Array.from<unknown, number | string | null>(data as ArrayLike<unknown>, (value) => {
    if (typeof value === 'string') return value;
    const number = Number(value);
    return Number.isFinite(number) ? number : null;
  });
  return { name, shape: [...dims], values };
}

/** The runtime's own words, without the places in its sources. */
function refusal(what: string, error: unknown): Problem {
  const text = error instanceof Error ? error.message : String(error);
  const reason = text
    .replace(/^.*ERROR_MESSAGE:\s*/s, '')
    .replaceAll(/(?:\/[\w.+-]+){2,}(?::\d+)?/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longestReason);
  return new Problem('onnx-unsupported', `${what}: ${reason.replace(/\.?$/, '.')}`, { cause: error });
}
