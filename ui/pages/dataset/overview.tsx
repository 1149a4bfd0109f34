// A version at a glance: its figures, what to look out for, how it was read, its first rows.
import { Anchor, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { rowsQuery } from '../../api/queries.ts';
import type { Dataset, DatasetProfile, DatasetVersion } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { DataGrid } from '../../kit/data-grid.tsx';
import { Facts } from '../../kit/facts.tsx';
import { formatCount, formatShare, formatTime } from '../../kit/format.ts';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Section } from '../../kit/page.tsx';
import { rolePlurals, typeWords } from '../data/column-types.ts';
import { sizeWords } from '../data/version-words.ts';
import classes from './dataset.module.css';
import { Described } from './described.tsx';

interface OverviewProps {
  projectId: string;
  dataset: Dataset;
  version: DatasetVersion;
}

/** The first tab. */
export function Overview({ projectId, dataset, version }: OverviewProps) {
  const rows = useQuery(rowsQuery(version.id, 0, 8));
  return (
    <Stack gap={40}>
      <Described version={version} skeleton={{ count: 1, height: 110 }}>
        {(data) => (
          <Stack gap="xl">
            <Facts items={factsOf(data, version)} />
            <Warnings profile={data} version={version} projectId={projectId} datasetId={dataset.id} />
          </Stack>
        )}
      </Described>
      <Section title="The first rows">
        <Loaded query={rows} skeleton={<Blocks count={1} height={260} />}>
          {(data) => (
            <DataGrid
              label="The first rows"
              columns={version.columns}
              typeWords={typeWords}
              rows={data.rows}
            />
          )}
        </Loaded>
      </Section>
    </Stack>
  );
}

function factsOf(profile: DatasetProfile, version: DatasetVersion) {
  const cells = profile.rowCount * profile.columns.length;
  const missing = profile.columns.reduce((sum, column) => sum + column.missingCount, 0);
  const roles = Map.groupBy(profile.columns, ({ role }) => role);
  const kinds = [...roles]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([role, columns]) => `${columns.length} ${rolePlurals[role]}`);
  return [
    { label: 'Rows', value: formatCount(profile.rowCount) },
    { label: 'Columns', value: formatCount(profile.columns.length), note: kinds.slice(0, 3).join(', ') },
    { label: 'Missing values', value: cells === 0 ? '0%' : formatShare(missing / cells) },
    {
      label: 'Rows that repeat',
      value: profile.duplicateRowCount === null ? 'not counted' : formatCount(profile.duplicateRowCount),
    },
    { label: 'Stored', value: sizeWords(version), note: formatTime(version.createdAt) },
  ];
}

interface WarningsProps extends Omit<OverviewProps, 'dataset'> {
  profile: DatasetProfile;
  datasetId: string;
}

const shownNames = 6;

function Warnings({ profile, version, projectId, datasetId }: WarningsProps) {
  if (profile.warnings.length === 0 && version.warnings.length === 0) {
    return (
      <Notice tone="good" title="Nothing stands out">
        No identifiers, copies, or columns that give the answer away were found.
      </Notice>
    );
  }
  return (
    <Section
      title="Worth a look"
      description="None of this stops a training. It may explain what comes out of one."
    >
      <List label="Worth a look">
        {version.warnings.map((message) => (
          <WarningLine key={message} message={message} />
        ))}
        {profile.warnings.map(({ code, columns, message }) => (
          <WarningLine
            key={code + columns.join()}
            message={message}
            about={
              columns.length > 1 && (
                <>
                  {columns.slice(0, shownNames).join(', ')}
                  {columns.length > shownNames && (
                    <>
                      {' '}
                      and{' '}
                      <Anchor
                        component={Link}
                        underline="always"
                        to={paths.dataset(projectId, datasetId, 'columns')}
                      >
                        {columns.length - shownNames} more
                      </Anchor>
                    </>
                  )}
                </>
              )
            }
          />
        ))}
      </List>
    </Section>
  );
}

function WarningLine({ message, about }: { message: string; about?: ReactNode }) {
  return (
    <ListLine
      mark={
        <span className={classes.mark}>
          <Icon name="alert" />
        </span>
      }
      title={
        <Text span fw={400}>
          {message}
        </Text>
      }
      about={about}
    />
  );
}
