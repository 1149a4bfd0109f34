// Files on their way: progress while they are sent, then the way to look at them before they are imported.
import { ActionIcon, Button, Progress, Text, Tooltip } from '@mantine/core';
import { useEffect } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { dismissUpload, retryUpload, useUploads, type UploadItem } from '../../api/uploads.ts';
import { paths } from '../../app/paths.ts';
import { formatBytes } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Okta } from '../../kit/okta.tsx';
import { problemOf } from '../../kit/problem.tsx';

interface UploadListProps {
  projectId: string;
  /** The dataset that gets a new version from the file; left out: a new dataset. */
  datasetId?: string;
}

/** The files of a project that were sent from this page; nothing when there are none. */
export function UploadList({ projectId, datasetId }: UploadListProps) {
  const items = useUploads(projectId);
  useOnward(projectId, items, datasetId);
  if (items.length === 0) return null;
  return (
    <div style={{ marginTop: 16 }}>
      <List label="Files">
        {items.map((item) => (
          <UploadLine key={item.key} item={item} datasetId={datasetId} />
        ))}
      </List>
    </div>
  );
}

/** A single file needs no click: its preview opens as soon as it has arrived. */
function useOnward(projectId: string, items: readonly UploadItem[], datasetId: string | undefined): void {
  const navigate = useNavigate();
  const { key: visit } = useLocation();
  const only = items.length === 1 ? items[0] : undefined;
  const sentId = only?.state === 'sent' && !opened.has(only.key) ? only.uploadId : undefined;
  useEffect(() => {
    if (only === undefined || sentId === undefined) return;
    opened.add(only.key);
    void navigate(importPath(projectId, sentId, datasetId));
  }, [navigate, projectId, datasetId, sentId, only, visit]);
}

/** Previews that opened by themselves; coming back does not open them again. */
const opened = new Set<string>();

function UploadLine({ item, datasetId }: { item: UploadItem; datasetId: string | undefined }) {
  const { key, projectId, fileName, sizeBytes, sentBytes, state, uploadId, error } = item;
  const share = sizeBytes === 0 ? 0 : sentBytes / sizeBytes;
  return (
    <ListLine
      mark={state === 'failed' ? <Okta kind="failed" /> : <Okta share={share} isLive={state === 'sending'} />}
      title={fileName}
      about={
        state === 'failed' ? (
          <Text span size="sm" c="var(--mantine-color-error)">
            {problemOf(error).detail} {problemOf(error).remedy}
          </Text>
        ) : state === 'sent' ? (
          `${formatBytes(sizeBytes)} sent. Look at it, then import it.`
        ) : (
          <>
            {formatBytes(sentBytes)} of {formatBytes(sizeBytes)}
            <Progress value={share * 100} size={4} mt={6} aria-label={`Sending ${fileName}`} />
          </>
        )
      }
      actions={
        <>
          {state === 'failed' && (
            <Button size="xs" variant="default" onClick={() => retryUpload(key)}>
              Try again
            </Button>
          )}
          {state === 'sent' && uploadId !== undefined && (
            <Button size="xs" component={Link} to={importPath(projectId, uploadId, datasetId)}>
              Check and import
            </Button>
          )}
          <Tooltip label={state === 'sending' ? 'Stop' : 'Remove from this list'}>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`${state === 'sending' ? 'Stop sending' : 'Remove'} ${fileName}`}
              onClick={() => dismissUpload(key)}
            >
              <Icon name="close" size={16} />
            </ActionIcon>
          </Tooltip>
        </>
      }
    />
  );
}

function importPath(projectId: string, uploadId: string, datasetId: string | undefined): string {
  return paths.importUpload(projectId, uploadId) + (datasetId === undefined ? '' : `?into=${datasetId}`);
}
