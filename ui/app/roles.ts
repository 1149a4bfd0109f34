// The four roles in plain words.
import type { Role } from '../api/types.ts';

export const roleWords: Record<Role, { label: string; meaning: string }> = {
  owner: { label: 'Owner', meaning: 'Everything, also members, keys and the budget.' },
  editor: { label: 'Editor', meaning: 'All work: data, trainings, models, endpoints.' },
  predictor: { label: 'Predictor', meaning: 'Ask endpoints for predictions, nothing else.' },
  viewer: { label: 'Viewer', meaning: 'Look at everything, change nothing.' },
};
