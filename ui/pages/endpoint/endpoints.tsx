// All endpoints of a project.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { endpointsQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { Empty } from '../../kit/empty.tsx';
import { formatCountOf, formatShare } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Page } from '../../kit/page.tsx';
import { StateMark } from '../../kit/state.tsx';
import { When } from '../../kit/when.tsx';

/** `/projects/:projectId/endpoints` */
export function Component() {
  const { projectId = '' } = useParams();
  const endpoints = useQuery(endpointsQuery(projectId));
  return (
    <Page
      title="Endpoints"
      description="An endpoint is an address that answers with predictions. It stays the same while the model behind it changes."
    >
      <Loaded query={endpoints} skeleton={<Blocks height={68} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty
              title="Nothing is deployed yet"
              action={
                <Button component={Link} to={paths.models(projectId)}>
                  Choose a model to deploy
                </Button>
              }
            >
              Open a model and press Deploy. You get a form to try it, a place to drop files, and code to
              paste into your own program.
            </Empty>
          ) : (
            <List label="Endpoints">
              {items.map((endpoint) => (
                <ListLine
                  key={endpoint.id}
                  to={paths.endpoint(projectId, endpoint.id)}
                  mark={<StateMark state={endpoint.state} />}
                  title={endpoint.name}
                  about={behind(endpoint)}
                  figures={[
                    formatCountOf(endpoint.predictionCount, 'prediction'),
                    <When key="when" iso={endpoint.createdAt} />,
                  ]}
                />
              ))}
            </List>
          )
        }
      </Loaded>
    </Page>
  );
}

/** `churn 3 (90%) and churn 2 (10%)`. */
export function behind({ deployments }: Endpoint): string {
  if (deployments.length === 0) return 'Nothing deployed';
  if (deployments.length === 1)
    return `${deployments[0]!.modelName}, version ${deployments[0]!.versionNumber}`;
  return deployments
    .map((each) => `${each.modelName} ${each.versionNumber} (${formatShare(each.trafficShare, 0)})`)
    .join(' and ');
}
