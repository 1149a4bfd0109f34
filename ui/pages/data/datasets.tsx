// The data of a project: files on their way in, and the datasets that are there.
import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useParams } from 'react-router';
import { datasetsQuery } from '../../api/queries.ts';
import type { Dataset } from '../../api/types.ts';
import { startUploads } from '../../api/uploads.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Page } from '../../kit/page.tsx';
import { StateMark } from '../../kit/state.tsx';
import { When } from '../../kit/when.tsx';
import { FileDrop } from './file-drop.tsx';
import { FromAddress } from './from-address.tsx';
import { UploadList } from './upload-list.tsx';
import { columnWords, rowWords, sizeWords } from './version-words.ts';

/** `/projects/:projectId/data` */
export function Component() {
  const projectId = useParams()['projectId']!;
  const datasets = useQuery(datasetsQuery(projectId));
  const { canEdit } = useAbilities();
  const [isAddressOpen, address] = useDisclosure(false);
  return (
    <Page
      title="Data"
      description="Each dataset is a table. A new file for the same table becomes its next version; old versions stay."
      actions={
        canEdit && (
          <Button variant="default" onClick={address.open}>
            Fetch from an address
          </Button>
        )
      }
    >
      {canEdit && (
        <>
          <FileDrop onFiles={(files) => startUploads(projectId, files)} />
          <UploadList projectId={projectId} />
        </>
      )}
      <div style={{ marginTop: 28 }}>
        <Loaded query={datasets} skeleton={<Blocks height={68} />}>
          {(items) => (items.length === 0 ? <NoData /> : <DatasetList projectId={projectId} items={items} />)}
        </Loaded>
      </div>
      <FromAddress projectId={projectId} isOpen={isAddressOpen} onClose={address.close} />
    </Page>
  );
}

function DatasetList({ projectId, items }: { projectId: string; items: readonly Dataset[] }) {
  return (
    <List label="Datasets">
      {items.map(({ id, name, latestVersion, createdAt }) => (
        <ListLine
          key={id}
          to={paths.dataset(projectId, id)}
          mark={<StateMark state={latestVersion?.state ?? 'empty'} />}
          title={name}
          about={latestVersion ? aboutVersion(latestVersion) : 'No version yet'}
          figures={[
            rowWords(latestVersion),
            columnWords(latestVersion),
            sizeWords(latestVersion),
            <When key="when" iso={latestVersion?.createdAt ?? createdAt} />,
          ]}
        />
      ))}
    </List>
  );
}

function aboutVersion(version: NonNullable<Dataset['latestVersion']>): string {
  if (version.state === 'importing') return `Importing ${version.sourceLabel}…`;
  if (version.state === 'failed') return version.problem?.title ?? 'The import failed';
  return `Version ${version.number}, from ${version.sourceLabel}`;
}

function NoData() {
  return (
    <Empty title="No data yet">
      Drop a table above: one row for each case, one column for each thing you know about it, and the column
      you want to predict filled in where the outcome is known.
    </Empty>
  );
}
