// The one client of this page: the SDK with the session's cookie, in the workspace that was chosen here.
import { createClient } from '../../src/sdk/client.ts';
import type { Client } from '../../src/sdk/types.ts';

const workspaceKey = 'pilvi-workspace';
let onSignedOut: () => void = () => undefined;

export const client: Client = createClient({
  workspaceId: chosenWorkspace(),
  fetch: async (input, init) => {
    const response = await globalThis.fetch(input, init);
    // Whichever call finds the session gone, the page asks to sign in; a spent sign-in link has its own words.
    if (response.status === 401 && !isSignIn(input, init)) onSignedOut();
    return response;
  },
});

/** Sets what happens when the session turns out to have ended. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** Works in another workspace from now on. Everything on the screen belongs to the old one, so the page starts anew. */
export function switchWorkspace(workspaceId: string): void {
  write(workspaceId);
  location.assign('/');
}

/** Forgets the choice: the session's own workspace is used. */
export function forgetWorkspace(): void {
  write(undefined);
}

/** The workspace chosen in this browser, if any. */
export function chosenWorkspace(): string | undefined {
  try {
    return localStorage.getItem(workspaceKey) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(workspaceId: string | undefined): void {
  try {
    if (workspaceId === undefined) localStorage.removeItem(workspaceKey);
    else localStorage.setItem(workspaceKey, workspaceId);
  } catch {
    // Storage is switched off: the session's own workspace stays.
  }
}

function isSignIn(input: RequestInfo | URL, init: RequestInit | undefined): boolean {
  return init?.method === 'POST' && String(input).endsWith('/api/v1/session');
}
