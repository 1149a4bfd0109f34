// Who is signed in, for every page below the shell.
import { createContext, useContext } from 'react';
import type { Session } from '../api/types.ts';

export const SessionContext = createContext<Session | undefined>(undefined);

/** The session; pages are shown only when there is one. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error('A page was shown outside of the shell.');
  return session;
}

/** What the person's role allows, so that pages offer only that. The server decides; this only keeps pages honest. */
export function useAbilities(): { canEdit: boolean; canManage: boolean; canPredict: boolean } {
  const { role } = useSession();
  return {
    canEdit: role === 'owner' || role === 'editor',
    canManage: role === 'owner',
    canPredict: role !== 'viewer',
  };
}
