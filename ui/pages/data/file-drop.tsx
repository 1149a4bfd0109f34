// The place to drop tables on. It takes what Pilvi reads, and says kindly why it does not take the rest.
import type { FileRejection } from '@mantine/dropzone';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { serverQuery } from '../../api/queries.ts';
import { DropArea } from '../../kit/drop-area.tsx';
import { formatBytes } from '../../kit/format.ts';

interface FileDropProps {
  onFiles: (files: File[]) => void;
  isBusy?: boolean;
  isTall?: boolean;
  /** One file only, such as the next version of a dataset. */
  isSingle?: boolean;
}

const endings = /\.(csv|tsv|txt|tab|json|jsonl|ndjson|parquet)(\.gz)?$/i;

/** Takes tables of up to the server's limit. */
export function FileDrop({ onFiles, isBusy = false, isTall = false, isSingle = false }: FileDropProps) {
  const maxBytes = useQuery(serverQuery).data?.limits.maxUploadBytes;
  const [refusals, setRefusals] = useState<string[]>([]);
  return (
    <DropArea
      title={isSingle ? 'Drop a file here' : 'Drop files here'}
      hint={`CSV, TSV, JSON lines or Parquet, also as .gz${maxBytes === undefined ? '' : `, up to ${formatBytes(maxBytes)}`}. From Excel: save as CSV.`}
      buttonLabel={isSingle ? 'Choose a file' : 'Choose files'}
      isBusy={isBusy}
      isTall={isTall}
      isSingle={isSingle}
      maxBytes={maxBytes}
      refusalOf={refusalOf}
      refusals={refusals}
      onRefused={(rejections) => setRefusals(rejections.map((each) => refusalWords(each, maxBytes)))}
      onFiles={(files) => {
        setRefusals([]);
        onFiles(files);
      }}
    />
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
  const isTooLarge = errors.some((error) => error.code === 'file-too-large') && maxBytes !== undefined;
  if (isTooLarge)
    return `${file.name} is larger than ${formatBytes(maxBytes)}, the most that this server takes.`;
  if (errors.some((error) => error.code === 'too-many-files')) return 'Only one file at a time here.';
  return `${file.name} ${errors[0]?.message ?? 'was not taken'}.`;
}
