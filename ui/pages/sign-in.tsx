// Signing in: the page that a sign-in link opens, and the page that says how to get one.
import { Code, Loader, Stack, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { client, forgetWorkspace } from '../api/client.ts';
import { sessionQuery } from '../api/queries.ts';
import { queryClient } from '../app/query-client.ts';
import { Brand, Okta } from '../kit/okta.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import classes from './sign-in.module.css';

interface Arrival {
  /** The page that asked to sign in. */
  from?: string;
  /** Whether the person just signed out. */
  signedOut?: boolean;
}

/** `/sign-in#code=...` signs in; without a code the page explains. */
export function Component() {
  useDocumentTitle('Sign in · Pilvi');
  const location = useLocation();
  const arrival = (location.state ?? {}) as Arrival;
  const { isBusy, error } = useCode(arrival.from ?? '/');
  return (
    <div className={classes.page}>
      <main className={classes.words}>
        <Brand size={30} />
        {isBusy ? (
          <div role="status" className={classes.busy}>
            <Loader size="sm" /> Signing you in…
          </div>
        ) : (
          <SignInHelp error={error} {...arrival} />
        )}
      </main>
      <div className={classes.sky} aria-hidden>
        {Array.from({ length: 9 }, (_, eighths) => (
          <span key={eighths} className={eighths === 6 ? classes.mark : undefined}>
            <Okta share={eighths / 8} size={96} />
          </span>
        ))}
      </div>
    </div>
  );
}

/** Sends the code of the address once, takes it out of the address, and goes on to `target`. */
function useCode(target: string): { isBusy: boolean; error: unknown } {
  const { hash } = useLocation();
  const navigate = useNavigate();
  const code = new URLSearchParams(hash.slice(1)).get('code');
  const sent = useRef<string>(undefined);
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(code !== null);
  useEffect(() => {
    if (code === null || sent.current === code) return;
    sent.current = code;
    setIsBusy(true);
    forgetWorkspace();
    client
      .createSession({ body: { code } })
      .then((session) => {
        queryClient.setQueryData(sessionQuery.queryKey, session);
        return navigate(target, { replace: true });
      })
      .catch((failure: unknown) => {
        setError(failure);
        setIsBusy(false);
        return navigate('/sign-in', { replace: true });
      });
  }, [code, navigate, target]);
  return { isBusy, error };
}

function SignInHelp({ error, from, signedOut }: Arrival & { error: unknown }) {
  const title = signedOut
    ? 'You are signed out'
    : error
      ? 'This link did not work'
      : 'Open your sign-in link';
  return (
    <Stack gap="lg">
      <div>
        <Title order={1}>{title}</Title>
        <Text c="dimmed" mt={8}>
          {from && !error ? 'Your session has ended, or this browser has not been here before. ' : ''}
          Pilvi has no passwords. A link signs you in; each link works once.
        </Text>
      </div>
      {error !== undefined && <ProblemAlert error={error} />}
      <div>
        <Title order={2} size="h3">
          How to get a new link
        </Title>
        <ul className={classes.ways}>
          <Way title="You run Pilvi on this machine">
            Run <Code>npx pilvi sign-in</Code> in a terminal, or start Pilvi again. It prints a link.
          </Way>
          <Way title="You are signed in somewhere else">
            There, open the menu at your name and choose “Sign in on another browser”.
          </Way>
          <Way title="Someone else runs Pilvi">Ask an owner of your workspace to invite you again.</Way>
        </ul>
      </div>
    </Stack>
  );
}

function Way({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li>
      <b>{title}</b>
      <Text span c="dimmed" display="block">
        {children}
      </Text>
    </li>
  );
}
