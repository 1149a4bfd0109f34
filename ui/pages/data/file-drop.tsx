// The place to drop files on. It takes what Pilvi reads, and says kindly why it does not take the rest.
import { Button, Text } from '@mantine/core';
import { Dropzone, type FileRejection } from '@mantine/dropzone';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { serverQuery } from '../../api/queries.ts';
import { formatBytes } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import classes from './file-drop.module.css';

interface FileDropProps {
  onFiles: (files: File[]) => void;
  isBusy?: boolean;
  isTall?: boolean;
  /** One file only, such as the next version of a dataset. */
  isSingle?: boolean;
}

const endings = /\.(csv|tsv|txt|tab|json|jsonl|ndjson|parquet)(\.gz)?$/i;

/** A drop zone that is also a button. */
export function FileDrop({ onFiles, isBusy = false, isTall = false, isSingle = false }: FileDropProps) {
  const limits = useQuery(serverQuery).data?.limits;
  const openDialog = useRef<() => void>(null);
  const [refusals, setRefusals] = useState<string[]>([]);
  return (
    <div>
      <Dropzone
        className={classes.drop!}
        data-tall={isTall || undefined}
        loading={isBusy}
        multiple={!isSingle}
        maxSize={limits?.maxUploadBytes ?? Infinity}
        validator={(file) => refusalOf(file)}
        openRef={openDialog}
        // The button inside is what the keyboard reaches.
        activateOnKeyboard={false}
        onDrop={(files) => {
          setRefusals([]);
          onFiles(files);
        }}
        onReject={(rejections) =>
          setRefusals(rejections.map((each) => refusalWords(each, limits?.maxUploadBytes)))
        }
      >
        <span className={classes.inside}>
          <span className={classes.icon}>
            <Icon name="upload" size={24} />
          </span>
          <span className={classes.words}>
            <span className={classes.title}>{isSingle ? 'Drop a file here' : 'Drop files here'}</span>
            <Text span size="sm" c="dimmed" display="block">
              CSV, TSV, JSON lines or Parquet, also as .gz
              {limits ? `, up to ${formatBytes(limits.maxUploadBytes)}` : ''}. From Excel: save as CSV.
            </Text>
          </span>
          <Button
            variant="default"
            onClick={(event) => {
              event.stopPropagation();
              openDialog.current?.();
            }}
          >
            {isSingle ? 'Choose a file' : 'Choose files'}
          </Button>
        </span>
      </Dropzone>
      <div role="status">
        {refusals.map((refusal) => (
          <Text key={refusal} size="sm" c="var(--mantine-color-error)" mt={8}>
            {refusal}
          </Text>
        ))}
      </div>
    </div>
  );
}

function refusalOf(file: File | DataTransferItem): { code: string; message: string } | null {
  // While something is dragged its name is not known yet.
  if (!(file instanceof File)) return null;
  if (file.size === 0) return { code: 'empty', message: 'is empty' };
  if (/\.(xlsx?|ods|numbers)$/i.test(file.name)) {
    return {
      code: 'spreadsheet',
      message: 'is a spreadsheet: open it there, save it as CSV, and drop that file',
    };
  }
  return endings.test(file.name)
    ? null
    : { code: 'ending', message: 'is not a table that Pilvi reads: CSV, TSV, JSON lines or Parquet' };
}

function refusalWords({ file, errors }: FileRejection, maxBytes: number | undefined): string {
  const tooLarge = errors.some((error) => error.code === 'file-too-large') && maxBytes !== undefined;
  if (tooLarge)
    return `${file.name} is larger than ${formatBytes(maxBytes)}, the most that this server takes.`;
  if (errors.some((error) => error.code === 'too-many-files')) return 'Only one file at a time here.';
  return `${file.name} ${errors[0]?.message ?? 'was not taken'}.`;
}
