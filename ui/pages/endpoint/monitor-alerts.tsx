// Alerts that were, newest first; those that are open stand at the top of the page.
import { useQuery } from '@tanstack/react-query';
import { alertsQuery } from '../../api/queries.ts';
import { formatTime } from '../../kit/format.ts';
import { List, ListLine } from '../../kit/list.tsx';
import classes from './monitoring.module.css';

/** A list, or nothing while there were none. */
export function MonitorAlerts({ endpointId }: { endpointId: string }) {
  const { data = [] } = useQuery(alertsQuery(endpointId));
  if (data.length === 0) return null;
  return (
    <section>
      <h2 className={classes.title}>Alerts</h2>
      <List label="Alerts">
        {data.map(({ id, message, state, openedAt, closedAt }) => (
          <ListLine
            key={id}
            title={message}
            about={`${formatTime(openedAt)}${closedAt ? ` to ${formatTime(closedAt)}` : ''}`}
            figures={[state === 'open' ? 'open' : 'over']}
          />
        ))}
      </List>
    </section>
  );
}
