// What is shown where no page is, and where a page broke.
import { Button, Group } from '@mantine/core';
import { Link, useRouteError } from 'react-router';
import { Page } from '../kit/page.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { paths } from './paths.ts';

/** No page has this address. */
export function NotFound() {
  return (
    <Page
      title="There is no page here"
      width="narrow"
      description="The address may be mistyped, or what was here has been deleted."
    >
      <Button component={Link} to={paths.home}>
        Go to the start
      </Button>
    </Page>
  );
}

/** A page that failed: to load (after an update of the server, its files have new names) or to draw. */
export function RouteProblem() {
  const error = useRouteError();
  return (
    <Page title="This page could not be shown" width="narrow">
      <ProblemAlert error={error} />
      <Group mt="md">
        <Button onClick={() => location.reload()}>Reload the page</Button>
        <Button component="a" href={paths.home} variant="default">
          Go to the start
        </Button>
      </Group>
    </Page>
  );
}
