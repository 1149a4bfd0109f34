// The keys that this installation signs model files with, and withdrawing one that may be in wrong hands.
import { Button, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../../api/client.ts';
import { signingKeysQuery } from '../../api/queries.ts';
import type { SigningKey } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Confirm } from '../../kit/confirm.tsx';
import { Copy } from '../../kit/copy.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { Okta } from '../../kit/okta.tsx';
import { Section } from '../../kit/page.tsx';
import { When } from '../../kit/when.tsx';

/** A section of the page of the server. */
export function SigningKeys() {
  const keys = useQuery(signingKeysQuery);
  return (
    <Section
      title="Signing keys"
      description="Model files are signed with them, so that nobody changes one unnoticed. Other programs may be told to take files of these keys only."
    >
      <Loaded query={keys} skeleton={<Blocks height={68} />}>
        {(items) => (
          <List label="Signing keys">
            {items.map((key) => (
              <KeyLine key={key.publicKey} signingKey={key} />
            ))}
          </List>
        )}
      </Loaded>
    </Section>
  );
}

function KeyLine({ signingKey }: { signingKey: SigningKey }) {
  const { canManage } = useAbilities();
  const queries = useQueryClient();
  const { publicKey, createdAt, withdrawnAt, isCurrent } = signingKey;
  const short = publicKey.slice(0, 16);
  return (
    <ListLine
      mark={withdrawnAt === null ? <Okta share={1} /> : <Okta kind="cancelled" />}
      title={<code>{short}…</code>}
      about={
        withdrawnAt === null ? (
          <>
            {isCurrent ? 'signs new models' : 'of another server, or of before'} · since{' '}
            <When iso={createdAt} />
          </>
        ) : (
          <>
            withdrawn <When iso={withdrawnAt} />: what it signed is not used
          </>
        )
      }
      actions={
        <>
          <Copy text={publicKey} what="the public key" />
          {canManage && withdrawnAt === null && (
            <Confirm
              title={`Withdraw ${short}…?`}
              consequence={
                <>
                  <Text size="sm" mb="xs">
                    For a key that may be in wrong hands. Every model that it signed stops answering within
                    two seconds, in all workspaces of this server, until an owner signs it anew. New models
                    are signed with a fresh key.
                  </Text>
                  <Text size="sm">This cannot be undone.</Text>
                </>
              }
              confirmLabel="Withdraw the key"
              onConfirm={async () => {
                await client.withdrawSigningKey({ publicKey });
                await queries.invalidateQueries();
              }}
            >
              {(ask) => (
                <Button variant="subtle" color="gray" size="xs" onClick={ask}>
                  Withdraw
                </Button>
              )}
            </Confirm>
          )}
        </>
      }
    />
  );
}
