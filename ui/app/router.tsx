// Which page is shown where. Every page is a chunk of its own, loaded when it is first opened.
import type { ComponentType } from 'react';
import { createBrowserRouter, type RouteObject } from 'react-router';
import { whenSignedOut } from '../api/client.ts';
import { paths } from './paths.ts';
import { queryClient } from './query-client.ts';
import { NotFound, RouteProblem } from './route-problem.tsx';
import { Shell } from './shell.tsx';

type PageModule = Promise<{ Component: ComponentType }>;

function page(path: string, load: () => PageModule): RouteObject {
  return { path, lazy: load, HydrateFallback: Nothing };
}

const pages: RouteObject[] = [
  page('', () => import('../pages/home.tsx')),
  page('projects', () => import('../pages/projects.tsx')),
  page('projects/:projectId', () => import('../pages/project.tsx')),
  page('projects/:projectId/data', () => import('../pages/data/datasets.tsx')),
  page('projects/:projectId/data/import/:uploadId', () => import('../pages/data/import.tsx')),
  page('projects/:projectId/data/:datasetId/:tab?', () => import('../pages/dataset/dataset.tsx')),
  page('projects/:projectId/dataset-versions/:versionId', () => import('../pages/dataset/find-version.tsx')),
  page('projects/:projectId/train', () => import('../pages/train/train.tsx')),
  page('projects/:projectId/trainings', () => import('../pages/training/trainings.tsx')),
  page('projects/:projectId/trainings/:trainingId', () => import('../pages/training/training.tsx')),
  page('projects/:projectId/models', () => import('../pages/model/models.tsx')),
  page('projects/:projectId/models/:modelId/:tab?', () => import('../pages/model/model.tsx')),
  page('projects/:projectId/model-versions/:versionId', () => import('../pages/model/find-version.tsx')),
  page('projects/:projectId/endpoints', () => import('../pages/endpoint/endpoints.tsx')),
  page('projects/:projectId/endpoints/:endpointId/:tab?', () => import('../pages/endpoint/endpoint.tsx')),
  page('jobs', () => import('../pages/jobs.tsx')),
  page('workspace/spending', () => import('../pages/workspace/spending.tsx')),
  page('workspace/members', () => import('../pages/workspace/members.tsx')),
  page('workspace/keys', () => import('../pages/workspace/keys.tsx')),
  page('workspace/audit', () => import('../pages/workspace/audit.tsx')),
  page('workspace/server', () => import('../pages/workspace/server.tsx')),
  { path: '*', Component: NotFound },
];

export const router = createBrowserRouter([
  { ...page('sign-in', () => import('../pages/sign-in.tsx')), ErrorBoundary: RouteProblem },
  {
    path: '/',
    Component: Shell,
    ErrorBoundary: RouteProblem,
    HydrateFallback: Nothing,
    // A page that breaks leaves the shell standing.
    children: [{ ErrorBoundary: RouteProblem, children: pages }],
  },
]);

whenSignedOut(() => {
  if (router.state.location.pathname === paths.signIn) return;
  const { pathname, search } = router.state.location;
  queryClient.clear();
  void router.navigate(paths.signIn, { state: { from: pathname + search } });
});

function Nothing() {
  return null;
}
