// What the data engine fails with, as problems of the catalogue; its own words may hold paths and are not shown.
import { asProblem, Problem } from '../../base/problems.ts';
import { DataEngineError } from '../../platform/ports/data-engine.ts';

/** A problem where the world is at fault; anything else as it is. */
export function asEngineProblem(error: unknown): unknown {
  const options = { cause: error };
  if (!(error instanceof DataEngineError)) {
    const problem = asProblem(error);
    return problem.code === 'internal' ? error : problem;
  }
  switch (error.kind) {
    case 'memory':
      return new Problem('memory-limit', 'The rows need more memory than a batch may use.', options);
    case 'disk-full':
      return new Problem('disk-full', 'There is no space left for the answers.', options);
    case 'interrupted':
    case 'forbidden':
    case 'input':
      return error;
    default:
      return error.kind satisfies never;
  }
}
