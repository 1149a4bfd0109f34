// Code to paste into a program: complete, with this server's address, this endpoint and a typical row. A key is made
// with one click and filled in.
import { Button, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { keysQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { CodeBlock, CopyLine } from '../../kit/copy.tsx';
import { Icon } from '../../kit/icons.tsx';
import { Notice } from '../../kit/notice.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { exampleRow, namesAlone } from './example.ts';
import { snippetOf, type Language } from './snippet-text.ts';

const languages: { value: Language; label: string }[] = [
  { value: 'curl', label: 'curl' },
  { value: 'typescript', label: 'TypeScript' },
  { value: 'python', label: 'Python' },
];

const placeholder = 'YOUR_KEY';

/** The tab of code. */
export function Snippets({ projectId, endpoint }: { projectId: string; endpoint: Endpoint }) {
  const [language, setLanguage] = useState<Language>('curl');
  const { canManage } = useAbilities();
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      client.createKey({
        body: { name: `For ${endpoint.name}`.slice(0, 120), role: 'predictor', projectId },
      }),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
  const address = location.origin + endpoint.predictPath;
  const text = snippetOf(language, {
    address,
    key: make.data?.secret ?? placeholder,
    row: { ...namesAlone(endpoint.fields), ...exampleRow(endpoint.fields) },
  });
  return (
    <Stack gap="lg" maw={860}>
      <div>
        <Text size="sm" fw={600} mb={6}>
          Address
        </Text>
        <CopyLine text={address} what="the address" />
      </div>
      {make.error && <ProblemAlert error={make.error} />}
      {make.data ? (
        <Notice tone="good" title="The key is in the code below">
          It can ask for predictions in this project and nothing else. It is shown only now: copy it before
          you leave this page. You can revoke it under Keys.
        </Notice>
      ) : canManage ? (
        <Group gap="md">
          <Button
            variant="default"
            leftSection={<Icon name="key" size={16} />}
            loading={make.isPending}
            onClick={() => make.mutate()}
          >
            Make a key and fill it in
          </Button>
          <Text size="sm" c="dimmed">
            A key that can only ask for predictions, in this project.
          </Text>
        </Group>
      ) : (
        <Text size="sm" c="dimmed">
          Ask an owner of the workspace for a key, and put it where the code says {placeholder}.
        </Text>
      )}
      <SegmentedControl
        aria-label="Language"
        style={{ alignSelf: 'flex-start' }}
        value={language}
        onChange={(value) => setLanguage(value as Language)}
        data={languages}
      />
      <CodeBlock text={text} what="the code" />
      <Text size="sm" c="dimmed">
        Send up to thousands of rows at once in “rows”; the answers come in the same order. A field that is
        missing or null counts as not known.
      </Text>
    </Stack>
  );
}
