// The releases of an endpoint: the one that runs, or ran last, and those before it.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { releasesQuery } from '../../api/queries.ts';
import type { Endpoint } from '../../api/types.ts';
import { useAbilities } from '../../app/session.tsx';
import { Empty } from '../../kit/empty.tsx';
import { formatTime } from '../../kit/format.ts';
import { Icon } from '../../kit/icons.tsx';
import { List, ListLine } from '../../kit/list.tsx';
import { Blocks, Loaded } from '../../kit/loaded.tsx';
import { OneRelease } from './one-release.tsx';
import { StartRelease } from './start-release.tsx';
import { strategyWords } from './words.ts';
import classes from './releases.module.css';

/** The tab. */
export function Releases({ projectId, endpoint }: { projectId: string; endpoint: Endpoint }) {
  const releases = useQuery(releasesQuery(endpoint.id));
  const { canEdit } = useAbilities();
  const [isStarting, setStarting] = useState(false);
  const [chosenId, setChosenId] = useState<string>();
  const start = canEdit && endpoint.releaseId === null && (
    <Button leftSection={<Icon name="play" size={16} />} onClick={() => setStarting(true)}>
      Release a version
    </Button>
  );
  return (
    <>
      <Loaded query={releases} skeleton={<Blocks count={2} height={180} />}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="No release yet" action={start}>
              A release brings a new version here step by step, compares it with the current one, and takes it
              back by itself when it is worse.
            </Empty>
          ) : (
            <div className={classes.page}>
              <OneRelease
                key={chosenId ?? items[0]!.id}
                releaseId={chosenId ?? items[0]!.id}
                projectId={projectId}
                action={start}
              />
              {items.length > 1 && (
                <section>
                  <h2 className={classes.title}>All releases</h2>
                  <List label="Releases">
                    {items.map(({ id, candidate, strategy, state, createdAt }) => (
                      <ListLine
                        key={id}
                        title={`${candidate.modelName}, version ${candidate.versionNumber}`}
                        about={`${strategyWords[strategy.kind].label}, ${formatTime(createdAt)}`}
                        figures={[state.replace('-', ' ')]}
                        actions={
                          <Button variant="default" size="xs" onClick={() => setChosenId(id)}>
                            Show
                          </Button>
                        }
                      />
                    ))}
                  </List>
                </section>
              )}
            </div>
          )
        }
      </Loaded>
      {isStarting && (
        <StartRelease
          projectId={projectId}
          endpoint={endpoint}
          onClose={() => setStarting(false)}
          onStarted={() => setChosenId(undefined)}
        />
      )}
    </>
  );
}
