// What a training can use, read from what the learners and metrics say of themselves.
import type { z } from 'zod';
import type { learnerCatalogue as catalogueSchema } from '../../contract/training.ts';
import { learners } from '../../ml/learners/learners.ts';
import { metrics } from '../../ml/metrics/metrics.ts';

/** The learners and metrics, for forms and documentation. */
export function learnerCatalogue(): z.output<typeof catalogueSchema> {
  return {
    metrics: metrics.map(({ name, label, plainWords, tasks, greaterIsBetter }) => ({
      name,
      label,
      plainWords,
      tasks: [...tasks],
      greaterIsBetter,
    })),
    learners: learners.map(({ spec: { name, label, plainWords, tasks } }) => ({
      name,
      label,
      plainWords,
      // A ranking is learned by what learns numbers.
      tasks: tasks.includes('regression') ? [...tasks, 'ranking'] : [...tasks],
    })),
  };
}
