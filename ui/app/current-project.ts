// The project that the navigation speaks of: the one in the address, else the one that was last open here.
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useMatch } from 'react-router';
import { projectsQuery } from '../api/queries.ts';
import type { Project } from '../api/types.ts';
import { useSession } from './session.tsx';

/** The current project; undefined while projects load or where there are none. */
export function useCurrentProject(): Project | undefined {
  const { workspace } = useSession();
  const key = `pilvi-project:${workspace.id}`;
  const idInAddress = useMatch('/projects/:projectId/*')?.params.projectId;
  const projects = useQuery(projectsQuery).data ?? [];
  useEffect(() => {
    if (idInAddress !== undefined) remember(key, idInAddress);
  }, [key, idInAddress]);
  const byId = (id: string | undefined): Project | undefined => projects.find((project) => project.id === id);
  return byId(idInAddress) ?? byId(recall(key)) ?? projects[0];
}

function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(key: string, projectId: string): void {
  try {
    localStorage.setItem(key, projectId);
  } catch {
    // Without storage the first project is the current one.
  }
}
