// A training learns which model version was made of it.
import type { Reaction } from '../../platform/context.ts';
import { updateTraining } from './rows.ts';

export const trainReactions: Reaction[] = [
  {
    event: 'model-version-created',
    name: 'link-model-version',
    async react(context, event) {
      const { trainingId, modelVersionId } = event.data as {
        trainingId: string | null;
        modelVersionId: string;
      };
      if (trainingId === null) return;
      await context.transaction((transaction) => updateTraining(transaction, trainingId, { modelVersionId }));
    },
  },
];
