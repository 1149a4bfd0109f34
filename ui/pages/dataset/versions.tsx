// The versions of a dataset, and the way to add the next one.
import { Button, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { datasetVersionsQuery } from '../../api/queries.ts';
import { startUploads } from '../../api/uploads.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatTime } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Section } from '../../kit/page.tsx';
import { StateMark } from '../../kit/state.tsx';
import { FileDrop } from '../data/file-drop.tsx';
import { UploadList } from '../data/upload-list.tsx';
import { columnWords, rowWords, sizeWords } from '../data/version-words.ts';

interface VersionsProps {
  projectId: string;
  datasetId: string;
  shownId: string;
}

/** The tab of versions. */
export function Versions({ projectId, datasetId, shownId }: VersionsProps) {
  const versions = useQuery(datasetVersionsQuery(datasetId));
  const { canEdit } = useAbilities();
  return (
    <Stack gap={40}>
      <Loaded query={versions} skeleton={<Blocks height={64} />}>
        {(items) => (
          <List label="Versions">
            {items.map((version) => (
              <ListLine
                key={version.id}
                to={`${paths.dataset(projectId, datasetId)}?version=${version.id}`}
                mark={<StateMark state={version.state} />}
                title={`Version ${version.number}${version.id === shownId ? ', shown here' : ''}`}
                about={`${version.sourceLabel}, ${formatTime(version.createdAt)}`}
                figures={[rowWords(version), columnWords(version), sizeWords(version)]}
                actions={
                  canEdit && (
                    <Button
                      size="xs"
                      variant="default"
                      component={Link}
                      to={`${paths.importUpload(projectId, version.id)}?into=${datasetId}`}
                    >
                      Read again
                    </Button>
                  )
                }
              />
            ))}
          </List>
        )}
      </Loaded>
      {canEdit && (
        <Section
          title="Add a version"
          description="A newer file with the same columns. Nothing that exists changes."
        >
          <FileDrop isSingle onFiles={(files) => startUploads(projectId, files)} />
          <UploadList projectId={projectId} datasetId={datasetId} />
        </Section>
      )}
    </Stack>
  );
}
