// The start: straight to the project one works in, or the welcome where there is none yet.
import { useQuery } from '@tanstack/react-query';
import { Navigate } from 'react-router';
import { projectsQuery } from '../api/queries.ts';
import { useCurrentProject } from '../app/current-project.ts';
import { paths } from '../app/paths.ts';
import { Loaded } from '../kit/loaded.tsx';
import { Page } from '../kit/page.tsx';
import { FirstSteps, welcome } from './first-steps.tsx';

/** `/` */
export function Component() {
  const projects = useQuery(projectsQuery);
  const current = useCurrentProject();
  if (current) return <Navigate to={paths.project(current.id)} replace />;
  return (
    <Page title="Welcome to Pilvi" description={welcome}>
      <Loaded query={projects}>{() => <FirstSteps projectId={undefined} />}</Loaded>
    </Page>
  );
}
