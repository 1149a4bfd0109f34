// Who signed a version's file; and, when its key was withdrawn, the way back.
import { Button, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import type { ModelVersion } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { Notice } from '../../kit/notice.tsx';
import { When } from '../../kit/when.tsx';
import classes from './model.module.css';

/** One line, for the facts of a version. */
export function SignedBy({ signature }: Pick<ModelVersion, 'signature'>) {
  if (!signature) {
    return (
      <Text size="sm" c="dimmed">
        Nobody signed the file.
      </Text>
    );
  }
  const { publicKey, by, withdrawnAt } = signature;
  const whose = by === 'this-installation' ? 'here' : 'elsewhere, with a key that is not known here';
  return (
    <>
      <Text size="sm">
        Signed {whose}
        {withdrawnAt === null ? '. The signature fits the file.' : ', with a key that was withdrawn.'}
      </Text>
      <Text size="xs" c="dimmed" className={classes.hash!}>
        Key {publicKey}
      </Text>
    </>
  );
}

/** That a version is not used, and what helps; nothing where its key is fine. */
export function WithdrawnNotice({ version }: { version: ModelVersion }) {
  const { canManage } = useAbilities();
  const queries = useQueryClient();
  const withdrawnAt = version.signature?.withdrawnAt;
  if (!withdrawnAt) return null;
  return (
    <Notice tone="bad" title="This version does not answer any more">
      <Text size="sm" mb={canManage ? 'sm' : 0}>
        The key that signed its file was withdrawn <When iso={withdrawnAt} />.{' '}
        {canManage
          ? 'If you know that the model is yours, sign it anew.'
          : 'An owner can sign it anew, if it is known to be yours.'}
      </Text>
      {canManage && (
        <Confirm
          title={`Sign version ${version.number} anew?`}
          consequence="You vouch for the file as it was registered: it is checked against its SHA-256, signed with the key of this server, and used again at once. The audit log keeps that you did."
          confirmLabel="Sign it"
          cancelLabel="Not now"
          onConfirm={async () => {
            await client.signModelVersion({ versionId: version.id });
            await queries.invalidateQueries();
          }}
        >
          {(ask) => (
            <Button variant="default" size="xs" onClick={ask}>
              Sign it anew
            </Button>
          )}
        </Confirm>
      )}
    </Notice>
  );
}
