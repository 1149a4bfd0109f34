// The first run of a foreign model: it proves that the graph runs, and shows what the file does not say. The rows are made
// up; where a model refuses them (numbers may be places in a table), rows of zeros are tried, and one row at a time.
import { asProblem, type Problem } from '../../base/problems.ts';
import { seededRandom } from '../../base/random.ts';
import { outputsOf, type RunGraph } from './foreign.ts';
import type { InputType, OnnxInput } from './signature-inputs.ts';
import { completeSignature, unsupported, type Draft, type OnnxSignature } from './signature.ts';
import type { Feed, FeedAnswer } from './tensors.ts';

const rowCount = 16;

/**
 * The whole signature of a model, from a draft and runs.
 * @throws Problem `onnx-unsupported` with the words of the runtime where no row is answered, and what runs throw
 */
export async function tryModel(draft: Draft, run: RunGraph): Promise<OnnxSignature> {
  const batches = draft.batchRowCount === null ? [null, 1] : [draft.batchRowCount];
  let firstFault: Problem | undefined;
  for (const batchRowCount of batches) {
    for (const values of [varied, zeros]) {
      const feeds = draft.inputs.map((input) => feedOf(input, values));
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next is tried when the one before fails
        const answers = await run({ feeds, rowCount, batchRowCount, outputs: outputsOf(draft) });
        return completeSignature({ ...draft, batchRowCount }, byName(answers), rowCount);
      } catch (error) {
        const fault = asProblem(error);
        if (fault.code !== 'onnx-unsupported') throw error;
        firstFault ??= fault;
      }
    }
  }
  throw firstFault!;
}

type ValueMaker = (type: InputType) => () => number | string;

const varied: ValueMaker = (type) => {
  const random = seededRandom(1);
  if (type === 'string') return () => ['', 'a', 'b', '1'][random.below(4)]!;
  if (type === 'float32' || type === 'double') return () => Math.fround(random.next() * 8 - 2);
  return () => random.below(2);
};

const zeros: ValueMaker = (type) => () => (type === 'string' ? '' : 0);

function feedOf({ name, type, dimensionCount, columns }: OnnxInput, values: ValueMaker): Feed {
  const length = rowCount * columns.length;
  return {
    name,
    type,
    dimensionCount,
    columnCount: columns.length,
    values: Array.from({ length }, values(type)),
  };
}

function byName(answers: readonly FeedAnswer[]) {
  return new Map(
    answers.map(({ name, shape, values }) => {
      const known = values.filter((value) => value !== null);
      if (known.length < values.length) throw unsupported(`The model gives no finite numbers in "${name}".`);
      return [name, { shape, values: known }] as const;
    }),
  );
}
