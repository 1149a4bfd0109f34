// What the registry does when a training has finished: the model file becomes a version.
import type { Reaction } from '../../platform/context.ts';
import { registerFromTraining, type FinishedTraining } from './registry.ts';

export const registryReactions: Reaction[] = [
  {
    event: 'training-finished',
    name: 'register-model-version',
    react: (context, event) => registerFromTraining(context, event.data as unknown as FinishedTraining),
  },
];
