// The audit log: who did what, chained by hashes so that no line can be changed or taken out unseen.
import { Button, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import { auditQuery, keysQuery, membersQuery } from '../../api/queries.ts';
import type { AuditLine } from '../../api/types.ts';
import { Empty } from '../../kit/empty.tsx';
import { formatCountOf, formatTime } from '../../kit/format.ts';
import grid from '../../kit/grid.module.css';
import { Icon } from '../../kit/icons.tsx';
import { Blocks } from '../../kit/loaded.tsx';
import { More } from '../../kit/more.tsx';
import { Notice } from '../../kit/notice.tsx';
import { Page } from '../../kit/page.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';

/** `/workspace/audit` */
export function Component() {
  const audit = useInfiniteQuery(auditQuery);
  const nameOf = useActorNames();
  const verify = useMutation({ mutationFn: () => client.verifyAudit() });
  const lines = audit.data ?? [];
  return (
    <Page
      title="Audit log"
      description="Who did what. Each line carries a fingerprint of the one before it, so a change to any of them shows."
      actions={
        <Button
          variant="default"
          leftSection={<Icon name="check" size={16} />}
          loading={verify.isPending}
          onClick={() => verify.mutate()}
        >
          Verify the whole log
        </Button>
      }
    >
      {verify.error && <ProblemAlert error={verify.error} />}
      {verify.data && <Verdict verification={verify.data} />}
      {audit.error && <ProblemAlert error={audit.error} onRetry={() => void audit.refetch()} />}
      {audit.isPending && <Blocks count={1} height={420} />}
      {audit.data && lines.length === 0 && (
        <Empty title="Nothing yet">Every change made here leaves a line.</Empty>
      )}
      {lines.length > 0 && <Lines lines={lines} nameOf={nameOf} />}
      <More query={audit} label="Show older lines" />
    </Page>
  );
}

type Verification = Awaited<ReturnType<typeof client.verifyAudit>>;

function Verdict({ verification }: { verification: Verification }) {
  const { intact, lineCount, firstBrokenSequence, headHash } = verification;
  return (
    <div style={{ marginBottom: 20 }}>
      {intact ? (
        <Notice tone="good" title="The log is whole">
          {formatCountOf(lineCount, 'line')} checked, none changed or missing.
          {headHash && (
            <Text size="xs" c="dimmed" mt={4} style={{ overflowWrap: 'anywhere' }}>
              Fingerprint of the newest line: {headHash}
            </Text>
          )}
        </Notice>
      ) : (
        <Notice tone="bad" title="The log was tampered with">
          The chain breaks at line {firstBrokenSequence}. Keep a copy of the database and find out who could
          write to it.
        </Notice>
      )}
    </div>
  );
}

interface LinesProps {
  lines: readonly AuditLine[];
  nameOf: (actor: AuditLine['actor']) => string;
}

function Lines({ lines, nameOf }: LinesProps) {
  return (
    <div
      className={grid.scroll}
      style={{ maxHeight: 'none' }}
      tabIndex={0}
      role="region"
      aria-label="Audit log"
    >
      <table className={grid.table}>
        <thead>
          <tr>
            <th scope="col" data-number>
              Line
            </th>
            <th scope="col">When</th>
            <th scope="col">Who</th>
            <th scope="col">What</th>
            <th scope="col">On</th>
            <th scope="col">Details</th>
            <th scope="col">Fingerprint</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => (
            <tr key={line.sequence}>
              <td data-number>{line.sequence}</td>
              <td>
                <time dateTime={line.at}>{formatTime(line.at)}</time>
              </td>
              <td title={line.actor.id}>{nameOf(line.actor)}</td>
              <td>{line.action}</td>
              <td title={line.subjectId}>{short(line.subjectId)}</td>
              <td title={JSON.stringify(line.details)}>{detailWords(line.details)}</td>
              <td title={line.hash}>
                <code>{line.hash.slice(0, 10)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Names of those who act; an id where the name is not known any more. */
function useActorNames(): (actor: AuditLine['actor']) => string {
  const members = useQuery(membersQuery).data ?? [];
  const keys = useQuery(keysQuery).data ?? [];
  return ({ kind, id }) => {
    if (kind === 'system') return 'Pilvi itself';
    if (kind === 'key') return `Key “${keys.find((key) => key.id === id)?.name ?? short(id)}”`;
    return members.find((member) => member.userId === id)?.displayName ?? short(id);
  };
}

function detailWords(details: AuditLine['details']): string {
  return Object.entries(details)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
}

/** The kind and the end of an id, enough to tell two apart. */
function short(id: string): string {
  const [prefix, rest] = id.split('_');
  return rest === undefined || rest.length <= 8 ? id : `${prefix}_…${rest.slice(-6)}`;
}
