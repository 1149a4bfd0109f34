// Bringing a model in: a model file of Pilvi, or an ONNX file that another tool wrote, about which a few things can be
// said that it may not say itself.
import { Button, Collapse, Group, NativeSelect, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { uploadFile } from '../../../src/sdk/upload.ts';
import { client } from '../../api/client.ts';
import { modelsQuery } from '../../api/queries.ts';
import type { ModelVersion, Task } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { DropArea } from '../../kit/drop-area.tsx';
import { formatBytes } from '../../kit/format.ts';
import { ProblemAlert, problemOf } from '../../kit/problem.tsx';
import classes from './model.module.css';

/** What can be said of an ONNX file; empty where it is left to the file. */
interface Said {
  task: Task | '';
  target: string;
  classes: string[];
  columns: string[];
}

const nothingSaid: Said = { task: '', target: '', classes: [], columns: [] };
const endings = /\.(pilvi|onnx)$/i;
const patience = { attempts: 1, timeoutMs: 600_000 };

/** The form of the dialog; leads to the model when it is there. */
export function ImportModel({ projectId }: { projectId: string }) {
  const [file, setFile] = useState<File>();
  const [name, setName] = useState('');
  const [said, setSaid] = useState(nothingSaid);
  const [sentShare, setSentShare] = useState(0);
  const [refusals, setRefusals] = useState<string[]>([]);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const bring = useMutation({
    mutationFn: (chosen: File) =>
      isOnnx(chosen)
        ? importOnnx({ projectId, name, file: chosen, said, onProgress: setSentShare })
        : client.importModelFile({ projectId, modelName: name, stream: chosen }, patience),
    onSuccess: async (version) => {
      await queries.invalidateQueries(modelsQuery(projectId));
      await navigate(paths.model(projectId, version.modelId));
    },
  });
  const choose = ([chosen]: File[]): void => {
    if (!chosen) return;
    setRefusals([]);
    setFile(chosen);
    setSaid(nothingSaid);
    bring.reset();
    if (name === '') setName(chosen.name.replace(endings, ''));
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (file) bring.mutate(file);
      }}
    >
      <Stack>
        {file ? (
          <Chosen file={file} onOther={() => setFile(undefined)} isBusy={bring.isPending} />
        ) : (
          <DropArea
            title="Drop a model here"
            hint="A .pilvi file, or an .onnx file of scikit-learn, LightGBM, XGBoost or PyTorch. It is opened and tried before it is taken."
            buttonLabel="Choose a file"
            isSingle
            refusalOf={refusalOf}
            refusals={refusals}
            onRefused={(rejections) =>
              setRefusals(rejections.map((each) => `${each.file.name} ${each.errors[0]?.message}.`))
            }
            onFiles={choose}
          />
        )}
        {file && (
          <>
            <TextInput
              label="Name of the model"
              description="An existing name gets a new version."
              required
              maxLength={120}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            {isOnnx(file) && <OnnxOptions said={said} onSay={setSaid} error={bring.error} />}
            {bring.error && askedFor(bring.error).size === 0 && <ProblemAlert error={bring.error} />}
            <Group justify="flex-end" gap="md">
              {bring.isPending && (
                <Text size="sm" c="dimmed" role="status">
                  {isOnnx(file) && sentShare < 1 ? 'Sending the file…' : 'Opening and trying the model…'}
                </Text>
              )}
              <Button type="submit" loading={bring.isPending}>
                Import
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </form>
  );
}

function Chosen({ file, onOther, isBusy }: { file: File; onOther: () => void; isBusy: boolean }) {
  return (
    <Group className={classes.chosenFile!} justify="space-between" wrap="nowrap">
      <div className={classes.chosenName}>
        <Text fw={600} truncate>
          {file.name}
        </Text>
        <Text size="sm" c="dimmed">
          {formatBytes(file.size)}
          {isOnnx(file) && ', made elsewhere'}
        </Text>
      </div>
      <Button size="xs" variant="default" disabled={isBusy} onClick={onOther}>
        Another file
      </Button>
    </Group>
  );
}

interface OnnxOptionsProps {
  said: Said;
  onSay: (said: Said) => void;
  error: unknown;
}

const optionNames = ['task', 'target', 'classes', 'columns'] as const;

/** What the file may not say; open at once when the server asks for some of it. */
function OnnxOptions({ said, onSay, error }: OnnxOptionsProps) {
  const [isOpen, { toggle }] = useDisclosure(false);
  const wanted = askedFor(error);
  const isShown = isOpen || wanted.size > 0;
  const set = (change: Partial<Said>): void => onSay({ ...said, ...change });
  return (
    <div>
      <Group justify="space-between" gap="sm">
        <Text size="sm" c="dimmed">
          Columns, classes and the kind of answer are read from the file.
        </Text>
        <Button
          size="xs"
          variant="default"
          aria-expanded={isShown}
          disabled={wanted.size > 0}
          onClick={toggle}
        >
          {isShown ? 'Close' : 'Say more'}
        </Button>
      </Group>
      <Collapse expanded={isShown} keepMounted={false}>
        <Stack gap="md" mt="md">
          <TextInput
            label="What it predicts"
            description="Versions behind one endpoint must predict the same."
            placeholder="such as churn"
            maxLength={1000}
            value={said.target}
            error={wanted.get('target')}
            onChange={(event) => set({ target: event.currentTarget.value })}
          />
          <NativeSelect
            label="Kind of answer"
            value={said.task}
            error={wanted.get('task')}
            onChange={(event) => set({ task: event.currentTarget.value as Task | '' })}
            data={[
              { value: '', label: 'Tell it from the file' },
              { value: 'binary', label: 'One of two classes' },
              { value: 'multiclass', label: 'One of several classes' },
              { value: 'regression', label: 'A number' },
              { value: 'ranking', label: 'A score to order by' },
            ]}
          />
          <TagsInput
            label="Names of the classes"
            description="In the order of the model's scores. Press Enter after each, or paste a list with commas."
            value={said.classes}
            error={wanted.get('classes')}
            onChange={(names) => set({ classes: names })}
          />
          <TagsInput
            label="Names of the columns"
            description="In the order in which the model takes them."
            value={said.columns}
            error={wanted.get('columns')}
            onChange={(names) => set({ columns: names })}
          />
        </Stack>
      </Collapse>
    </div>
  );
}

/** The options that a refusal is about, with what it says of each. */
function askedFor(error: unknown): Map<string, string> {
  return new Map(
    (error === null ? [] : (problemOf(error).errors ?? [])).flatMap(({ field, message }) => {
      const option = optionNames.find((one) => field === `body.${one}`);
      return option ? [[option, message] as const] : [];
    }),
  );
}

interface ForeignFile {
  projectId: string;
  name: string;
  file: File;
  said: Said;
  onProgress: (share: number) => void;
}

async function importOnnx({ projectId, name, file, said, onProgress }: ForeignFile): Promise<ModelVersion> {
  onProgress(0);
  const { id: uploadId } = await uploadFile(client, {
    projectId,
    file,
    onProgress: ({ sentBytes, sizeBytes }) => onProgress(sentBytes / sizeBytes),
  });
  onProgress(1);
  const body = {
    uploadId,
    modelName: name,
    ...(said.task !== '' && { task: said.task }),
    ...(said.target.trim() !== '' && { target: said.target.trim() }),
    ...(said.classes.length > 0 && { classes: said.classes }),
    ...(said.columns.length > 0 && { columns: said.columns }),
  };
  return await client.importOnnxModel({ projectId, body }, patience);
}

function isOnnx({ name }: File): boolean {
  return /\.onnx$/i.test(name);
}

function refusalOf(file: File | DataTransferItem): { code: string; message: string } | null {
  // While something is dragged its name is not known yet.
  if (!(file instanceof File)) return null;
  if (file.size === 0) return { code: 'empty', message: 'is empty' };
  if (/\.(pkl|pickle|joblib|pt|pth)$/i.test(file.name))
    return {
      code: 'program',
      message: 'would have to be run to be read. Export the model as ONNX and bring that file',
    };
  return endings.test(file.name)
    ? null
    : { code: 'ending', message: 'is neither a .pilvi nor an .onnx file' };
}
