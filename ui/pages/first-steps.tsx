// The way from a file to a prediction in three steps, the first of which is right here.
import { Text, Title } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { client } from '../api/client.ts';
import { projectsQuery } from '../api/queries.ts';
import { startUploads } from '../api/uploads.ts';
import { paths } from '../app/paths.ts';
import { useAbilities } from '../app/session.tsx';
import { Okta } from '../kit/okta.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { FileDrop } from './data/file-drop.tsx';
import classes from './first-steps.module.css';

/** What Pilvi does, in one sentence. */
export const welcome = 'It learns from a table you have, and answers for rows you do not know yet.';

const steps = [
  {
    share: 0.125,
    title: 'Drop a file',
    text: 'A table with one row for each case: customers, orders, machines, patients. A few hundred rows are a start.',
  },
  {
    share: 0.5,
    title: 'Say what to predict',
    text: 'Pick the column you want to know. Pilvi tries many ways to learn it and keeps the best one.',
  },
  {
    share: 1,
    title: 'Use it',
    text: 'Fill in a form, send a file, or call it from your own program. You see how often it is right before you do.',
  },
];

/** The three steps; without a project, dropping a file makes one. */
export function FirstSteps({ projectId }: { projectId: string | undefined }) {
  const { canEdit } = useAbilities();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const begin = useMutation({
    mutationFn: async (files: File[]) => {
      const id = projectId ?? (await client.createProject({ body: { name: 'First project' } })).id;
      startUploads(id, files);
      return id;
    },
    onSuccess: async (id) => {
      await navigate(paths.data(id), { state: { openWhenSent: true } });
      await queries.invalidateQueries(projectsQuery);
    },
  });
  return (
    <div>
      <ol className={classes.steps}>
        {steps.map(({ share, title, text }, index) => (
          <li key={title} className={classes.step}>
            <Okta share={share} size={44} />
            <Title order={2} size="h3" mt="md">
              {index + 1}. {title}
            </Title>
            <Text c="dimmed" mt={4}>
              {text}
            </Text>
          </li>
        ))}
      </ol>
      {begin.error && <ProblemAlert error={begin.error} />}
      {canEdit ? (
        <FileDrop onFiles={(files) => begin.mutate(files)} isBusy={begin.isPending} isTall />
      ) : (
        <Text c="dimmed">Your role lets you look. An editor or an owner can add the first file.</Text>
      )}
    </div>
  );
}
