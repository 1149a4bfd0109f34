// The frame around every page: where you are, where you can go, who you are.
import { AppShell, Burger, Group, Skeleton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { Link, Outlet, ScrollRestoration, useLocation, useNavigation } from 'react-router';
import { sessionQuery } from '../api/queries.ts';
import { Brand } from '../kit/okta.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { Navigation } from './navigation.tsx';
import { paths } from './paths.ts';
import { QuickSwitch } from './quick-switch.tsx';
import { SessionContext } from './session.tsx';
import classes from './shell.module.css';

/** The frame; its pages are shown once it is known who is signed in. */
export function Shell() {
  const session = useQuery(sessionQuery);
  const [isMenuOpen, menu] = useDisclosure(false);
  const main = useRef<HTMLElement>(null);
  useArrival(main, menu.close);
  return (
    <AppShell
      navbar={{ width: 248, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      header={{ height: { base: 56, sm: 0 } }}
    >
      <a href="#main" className={classes.skip}>
        Skip to the page
      </a>
      <PageProgress />
      <AppShell.Header hiddenFrom="sm" className={classes.header}>
        <Group h="100%" px="md" justify="space-between">
          <Link to={paths.home} className={classes.brand} aria-label="Pilvi, start page">
            <Brand size={20} />
          </Link>
          <Burger
            opened={isMenuOpen}
            onClick={menu.toggle}
            size="sm"
            aria-label={isMenuOpen ? 'Close the menu' : 'Open the menu'}
            aria-expanded={isMenuOpen}
          />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} data-open={isMenuOpen || undefined} aria-label="Pages">
        {session.data ? (
          <SessionContext value={session.data}>
            <Navigation />
          </SessionContext>
        ) : (
          <NavigationSkeleton />
        )}
      </AppShell.Navbar>
      <AppShell.Main id="main" ref={main} tabIndex={-1} className={classes.main}>
        {session.error && !session.data && (
          <div className={classes.problem}>
            <ProblemAlert error={session.error} onRetry={() => void session.refetch()} />
          </div>
        )}
        {session.data && (
          <SessionContext value={session.data}>
            <Outlet />
            <QuickSwitch />
          </SessionContext>
        )}
      </AppShell.Main>
      <ScrollRestoration />
    </AppShell>
  );
}

/** On a new page the menu closes and the keyboard starts at the page, as after a full load. */
function useArrival(main: React.RefObject<HTMLElement | null>, closeMenu: () => void): void {
  const { pathname } = useLocation();
  const page = pathname.split('/').slice(0, 5).join('/');
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    closeMenu();
    main.current?.focus({ preventScroll: true });
    // Only a new page counts; `closeMenu` is new on every render.
  }, [page]);
}

function PageProgress() {
  const { state } = useNavigation();
  return <div className={classes.progress} data-busy={state !== 'idle' || undefined} aria-hidden />;
}

function NavigationSkeleton() {
  return (
    <div className={classes.skeleton}>
      {[120, 150, 90, 110, 100, 120].map((width, index) => (
        <Skeleton key={index} height={16} width={width} />
      ))}
    </div>
  );
}
