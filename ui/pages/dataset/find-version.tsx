// From the id of a dataset version to the page that shows it, for jobs and lineage, which know only the version.
import { useQuery } from '@tanstack/react-query';
import { Navigate, useParams } from 'react-router';
import { datasetVersionQuery } from '../../api/queries.ts';
import { paths } from '../../app/paths.ts';
import { Loaded } from '../../kit/loaded.tsx';
import { Page } from '../../kit/page.tsx';

/** `/projects/:projectId/dataset-versions/:versionId` */
export function Component() {
  const { projectId = '', versionId = '' } = useParams();
  const version = useQuery(datasetVersionQuery(versionId));
  return (
    <Page title="Dataset">
      <Loaded query={version}>
        {({ id, datasetId }) => (
          <Navigate replace to={`${paths.dataset(projectId, datasetId)}?version=${id}`} />
        )}
      </Loaded>
    </Page>
  );
}
