// The versions of a model and the names that point at them.
import { ActionIcon, Badge, Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client.ts';
import { modelQuery, modelVersionsQuery } from '../../api/queries.ts';
import type { Model, ModelVersionSummary } from '../../api/types.ts';
import { paths } from '../../app/paths.ts';
import { useAbilities } from '../../app/session.tsx';
import { formatTime } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Section } from '../../kit/page.tsx';
import { notifyProblem, ProblemAlert } from '../../kit/problem.tsx';
import { goodnessShort } from './words.ts';

interface VersionsProps {
  model: Model;
  shownId: string;
}

/** The tab of versions. */
export function Versions({ model, shownId }: VersionsProps) {
  const versions = useQuery(modelVersionsQuery(model.id));
  const [naming, setNaming] = useState<ModelVersionSummary>();
  return (
    <Section
      title="Versions"
      description="An alias is a name that you move from version to version, such as “champion” for the one in use."
    >
      <Loaded query={versions} skeleton={<Blocks height={64} />}>
        {(items) => (
          <List label="Versions">
            {items.map((version) => (
              <ListLine
                key={version.id}
                to={`${paths.model(version.projectId, model.id)}?version=${version.id}`}
                title={
                  <Group component="span" gap={8}>
                    Version {version.number}
                    {version.id === shownId && (
                      <Text span size="sm" c="dimmed">
                        shown here
                      </Text>
                    )}
                    {version.aliases.map((alias) => (
                      <Badge key={alias} variant="outline" tt="none" fw={600}>
                        {alias}
                      </Badge>
                    ))}
                  </Group>
                }
                about={[originOf(version), formatTime(version.createdAt)].join(', ')}
                figures={[goodnessShort(version)]}
                actions={<AliasMenu model={model} version={version} onName={() => setNaming(version)} />}
              />
            ))}
          </List>
        )}
      </Loaded>
      {naming && <NameDialog model={model} version={naming} onClose={() => setNaming(undefined)} />}
    </Section>
  );
}

function originOf({ lineage, format }: ModelVersionSummary): string {
  if (format === 'onnx') return 'made elsewhere, imported as ONNX';
  return lineage ? `from ${lineage.datasetName}, version ${lineage.datasetVersionNumber}` : 'from a file';
}

const usualAliases = ['champion', 'challenger'];

function AliasMenu({
  model,
  version,
  onName,
}: {
  model: Model;
  version: ModelVersionSummary;
  onName: () => void;
}) {
  const { canEdit } = useAbilities();
  const change = useAliasChange(model.id);
  if (!canEdit) return null;
  const candidates = [...new Set([...usualAliases, ...model.aliases.map(({ alias }) => alias)])].filter(
    (alias) => !version.aliases.includes(alias),
  );
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Aliases of version ${version.number}`}>
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Make it the</Menu.Label>
        {candidates.map((alias) => (
          <Menu.Item key={alias} onClick={() => change.mutate({ alias, versionNumber: version.number })}>
            {alias}
          </Menu.Item>
        ))}
        <Menu.Item onClick={onName}>another name…</Menu.Item>
        {version.aliases.length > 0 && <Menu.Divider />}
        {version.aliases.map((alias) => (
          <Menu.Item
            key={alias}
            color="lingonberry"
            onClick={() => change.mutate({ alias, versionNumber: null })}
          >
            No longer {alias}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Points an alias at a version, or removes it (`versionNumber` null). */
function useAliasChange(modelId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ alias, versionNumber }: { alias: string; versionNumber: number | null }) => {
      if (versionNumber === null) await client.removeModelAlias({ modelId, alias });
      else await client.setModelAlias({ modelId, alias, body: { versionNumber } });
    },
    onError: notifyProblem,
    // The model's key is a prefix of that of its versions: both are read anew.
    onSuccess: () => queries.invalidateQueries(modelQuery(modelId)),
  });
}

interface NameDialogProps {
  model: Model;
  version: ModelVersionSummary;
  onClose: () => void;
}

function NameDialog({ model, version, onClose }: NameDialogProps) {
  const [alias, setAlias] = useState('');
  const change = useAliasChange(model.id);
  return (
    <Modal
      opened
      onClose={onClose}
      title={`An alias for version ${version.number}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate({ alias, versionNumber: version.number }, { onSuccess: onClose });
        }}
      >
        <Stack>
          <TextInput
            label="Alias"
            description="Lower-case letters, digits and hyphens. An alias that exists is moved here."
            required
            maxLength={40}
            pattern="[a-z][a-z0-9\-]{0,39}"
            title="Lower-case letters, digits and hyphens, beginning with a letter"
            data-autofocus
            value={alias}
            onChange={(event) => setAlias(event.currentTarget.value)}
          />
          {change.error !== null && <ProblemAlert error={change.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={change.isPending}>
              Set the alias
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
