// From the id of a model version to the page that shows it, for trainings and deployments, which know only the version.
import { useQuery } from '@tanstack/react-query';
import { Navigate, useParams } from 'react-router';
import { modelVersionQuery } from '../../api/queries.ts';
import { paths } from '../../app/paths.ts';
import { Loaded } from '../../kit/loaded.tsx';
import { Page } from '../../kit/page.tsx';

/** `/projects/:projectId/model-versions/:versionId` */
export function Component() {
  const { projectId = '', versionId = '' } = useParams();
  const version = useQuery(modelVersionQuery(versionId));
  return (
    <Page title="Model">
      <Loaded query={version}>
        {({ id, modelId }) => <Navigate replace to={`${paths.model(projectId, modelId)}?version=${id}`} />}
      </Loaded>
    </Page>
  );
}
