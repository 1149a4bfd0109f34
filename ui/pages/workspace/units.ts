// Kinds of use in plain words.
import type { Charge } from '../../api/types.ts';

export const unitWords: Record<Charge['unit'], { label: string; one: string; unit: string }> = {
  'training-second': { label: 'Training', one: 'second', unit: 'seconds' },
  prediction: { label: 'Predictions', one: 'prediction', unit: 'predictions' },
  'batch-prediction': { label: 'Batches', one: 'prediction', unit: 'predictions' },
  'replica-minute': { label: 'Replicas kept ready', one: 'minute', unit: 'minutes' },
  'stored-gib-hour': { label: 'Storage', one: 'GiB hour', unit: 'GiB hours' },
  'imported-gib': { label: 'Imports', one: 'GiB', unit: 'GiB' },
  'query-second': { label: 'Queries', one: 'second', unit: 'seconds' },
};
