// What a project is called and what it is for: asked when it is made, and when it is renamed.
import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { fieldErrors, ProblemAlert } from '../kit/problem.tsx';

export interface ProjectWords {
  name: string;
  description: string;
}

interface ProjectFormProps {
  first?: ProjectWords;
  saveLabel: string;
  /** What it throws is shown. */
  onSave: (words: ProjectWords) => Promise<void>;
}

export function ProjectForm({ first = { name: '', description: '' }, saveLabel, onSave }: ProjectFormProps) {
  const form = useForm({ initialValues: first });
  const save = useMutation({
    mutationFn: onSave,
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  return (
    <form onSubmit={form.onSubmit((words) => save.mutate(words))}>
      <Stack>
        <TextInput label="Name" required data-autofocus maxLength={120} {...form.getInputProps('name')} />
        <Textarea
          label="What is it for?"
          description="A sentence for whoever opens it next."
          autosize
          minRows={2}
          maxLength={2000}
          {...form.getInputProps('description')}
        />
        {save.error && <ProblemAlert error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending}>
            {saveLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
