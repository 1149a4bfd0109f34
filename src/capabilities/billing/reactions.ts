// What billing does when something happens elsewhere.
import type { Reaction } from '../../platform/context.ts';
import { openLedger } from './ledger.ts';

export const billingReactions: Reaction[] = [
  {
    event: 'workspace-created',
    name: 'billing-default-cap',
    react: (context) =>
      context.transaction((transaction) => openLedger(context, transaction, context.workspaceId)),
  },
];
