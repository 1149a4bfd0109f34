// One logged prediction: the answer, what was given, where it comes from, and what can be done to check it.
import { Anchor, Button, Code, Drawer, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { client } from '../../api/client.ts';
import { saveBlob } from '../../api/download.ts';
import { loggedPredictionQuery } from '../../api/queries.ts';
import type { LoggedPrediction, LoggedPredictionWithOrigin } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { formatCell, formatTime } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Notice } from '../../kit/notice.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { Answer } from './answer.tsx';
import classes from './endpoint.module.css';
import { Contributions } from './why.tsx';

interface OpenedProps {
  projectId: string;
  endpointId: string;
  /** Undefined: none is open. */
  predictionId: string | undefined;
  onClose: () => void;
}

/** The drawer at the side. */
export function OpenedPrediction({ projectId, endpointId, predictionId, onClose }: OpenedProps) {
  return (
    <Drawer
      opened={predictionId !== undefined}
      onClose={onClose}
      position="right"
      size={560}
      title="Prediction"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {predictionId !== undefined && (
        <Content
          key={predictionId}
          projectId={projectId}
          endpointId={endpointId}
          predictionId={predictionId}
        />
      )}
    </Drawer>
  );
}

interface ContentProps {
  projectId: string;
  endpointId: string;
  predictionId: string;
}

function Content({ projectId, endpointId, predictionId }: ContentProps) {
  const found = useQuery(loggedPredictionQuery(endpointId, predictionId));
  return (
    <Loaded query={found} skeleton={<Blocks count={2} height={180} />}>
      {(data) => (
        <Stack gap="lg">
          <Answer prediction={data.prediction.answer} warnings={[]} isStale={false} />
          <WasTrue prediction={data.prediction} />
          <Checks endpointId={endpointId} prediction={data.prediction} />
          <Given prediction={data.prediction} />
          <From projectId={projectId} found={data} />
        </Stack>
      )}
    </Loaded>
  );
}

function WasTrue({ prediction: { actual, actualAt } }: { prediction: LoggedPrediction }) {
  return (
    <Text>
      {actual === null
        ? 'What was true is not known yet.'
        : `In truth it was “${actual}”${actualAt === null ? '' : `, told ${formatTime(actualAt)}`}.`}
    </Text>
  );
}

/** Computing it again, why it came out so, and the document. */
function Checks({ endpointId, prediction }: { endpointId: string; prediction: LoggedPrediction }) {
  const place = { endpointId, predictionId: prediction.id };
  const rerun = useMutation({ mutationFn: () => client.rerunPrediction(place) });
  const explain = useMutation({ mutationFn: () => client.explainPrediction(place) });
  const evidence = useMutation({
    mutationFn: async () => {
      const text = JSON.stringify(await client.getPredictionEvidence(place), null, 2);
      saveBlob(new Blob([text], { type: 'application/json' }), `${prediction.id}.json`);
    },
  });
  const error = rerun.error ?? explain.error ?? evidence.error;
  return (
    <div className={classes.more}>
      <Group gap="sm">
        <Button variant="default" loading={rerun.isPending} onClick={() => rerun.mutate()}>
          Compute it again
        </Button>
        {!explain.data && (
          <Button variant="default" loading={explain.isPending} onClick={() => explain.mutate()}>
            Why this answer?
          </Button>
        )}
        <Button variant="default" loading={evidence.isPending} onClick={() => evidence.mutate()}>
          Save the evidence
        </Button>
      </Group>
      {error && <ProblemAlert error={error} />}
      {rerun.data && <Verdict isIdentical={rerun.data.isIdentical} answer={rerun.data.answer.prediction} />}
      {explain.data && (
        <Contributions explanation={explain.data} isShare={prediction.answer.probabilities !== undefined} />
      )}
    </div>
  );
}

function Verdict({ isIdentical, answer }: { isIdentical: boolean; answer: string | number }) {
  if (isIdentical)
    return (
      <Notice tone="good" title="The same answer">
        Computed again with the same model file, every digit is the same.
      </Notice>
    );
  return (
    <Notice tone="bad" title="A different answer">
      Computed again with the same model file, the answer is now {formatCell(answer)}.
    </Notice>
  );
}

function Given({ prediction: { given, redacted } }: { prediction: LoggedPrediction }) {
  const rows: [string, ReactNode][] = [
    ...Object.entries(given).map(([name, value]): [string, ReactNode] => [
      name,
      typeof value === 'object' && value !== null ? JSON.stringify(value) : formatCell(value),
    ]),
    ...redacted.map((name): [string, ReactNode] => [name, <i key={name}>not kept</i>]),
  ];
  if (rows.length === 0) return <Text c="dimmed">No fields were given.</Text>;
  return <Pairs label="What was given" rows={rows} />;
}

function From({ projectId, found }: { projectId: string; found: LoggedPredictionWithOrigin }) {
  const { prediction, origin } = found;
  const { trainedFrom } = origin;
  const rows: [string, ReactNode][] = [
    ['Answered', formatTime(prediction.time)],
    [
      'Model',
      <Anchor key="model" component={Link} to={paths.modelVersion(projectId, prediction.modelVersionId)}>
        {origin.modelName}, version {origin.versionNumber}
      </Anchor>,
    ],
    [
      'Learned from',
      trainedFrom ? (
        <Anchor
          key="data"
          component={Link}
          to={paths.datasetVersion(projectId, trainedFrom.datasetVersionId)}
        >
          {trainedFrom.datasetName}, version {trainedFrom.datasetVersionNumber}
        </Anchor>
      ) : (
        'a model that was brought'
      ),
    ],
    ['Fingerprint of the model file', <Code key="file">{prediction.modelFileSha256}</Code>],
    ['Asked by', <Code key="who">{prediction.askedBy}</Code>],
    ['Id', <Code key="id">{prediction.id}</Code>],
  ];
  return <Pairs label="Where it comes from" rows={rows} />;
}

function Pairs({ label, rows }: { label: string; rows: readonly [string, ReactNode][] }) {
  return (
    <div>
      <Text fw={600} mb="xs">
        {label}
      </Text>
      <div className={grid.scroll} tabIndex={0} role="region" aria-label={label}>
        <table className={grid.table}>
          <tbody>
            {rows.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className={classes.wrapped}>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
