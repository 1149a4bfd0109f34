// A place to drop files on, with a button for those who do not drop. What is taken is up to its user.
import { Button, Text } from '@mantine/core';
import { Dropzone, type FileRejection } from '@mantine/dropzone';
import { useRef, type ReactNode } from 'react';
import classes from './drop-area.module.css';
import { Icon } from './icons.tsx';

interface DropAreaProps {
  title: string;
  hint: ReactNode;
  buttonLabel: string;
  isBusy?: boolean;
  isTall?: boolean;
  isSingle?: boolean;
  maxBytes?: number | undefined;
  /** Why a file is not taken; null: it is. */
  refusalOf?: (file: File | DataTransferItem) => { code: string; message: string } | null;
  onFiles: (files: File[]) => void;
  onRefused?: (refusals: FileRejection[]) => void;
  /** What was refused, in words. */
  refusals?: readonly string[];
}

/** The area and, below it, what was refused. */
export function DropArea(props: DropAreaProps) {
  const {
    title,
    hint,
    buttonLabel,
    isBusy = false,
    isTall = false,
    isSingle = false,
    maxBytes = Infinity,
  } = props;
  const openDialog = useRef<() => void>(null);
  return (
    <div>
      <Dropzone
        className={classes.drop!}
        data-tall={isTall || undefined}
        loading={isBusy}
        multiple={!isSingle}
        maxSize={maxBytes}
        openRef={openDialog}
        // The button inside is what the keyboard reaches.
        activateOnKeyboard={false}
        {...(props.refusalOf && { validator: props.refusalOf })}
        {...(props.onRefused && { onReject: props.onRefused })}
        onDrop={(files) => files.length > 0 && props.onFiles(files)}
      >
        <span className={classes.inside}>
          <span className={classes.icon}>
            <Icon name="upload" size={24} />
          </span>
          <span className={classes.words}>
            <span className={classes.title}>{title}</span>
            <Text span size="sm" c="dimmed" display="block">
              {hint}
            </Text>
          </span>
          <Button
            variant="default"
            onClick={(event) => {
              event.stopPropagation();
              openDialog.current?.();
            }}
          >
            {buttonLabel}
          </Button>
        </span>
      </Dropzone>
      <div role="status">
        {props.refusals?.map((refusal) => (
          <Text key={refusal} size="sm" c="var(--mantine-color-error)" mt={8}>
            {refusal}
          </Text>
        ))}
      </div>
    </div>
  );
}
