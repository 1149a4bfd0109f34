// An endpoint that answers, and callers whose rows look like those that its model learned from, or have moved.
import { seededRandom, type Random } from '../src/base/random.ts';
import type { Client } from '../src/sdk/types.ts';
import { waitForJob } from '../src/sdk/wait-for-job.ts';
import { until } from './product.ts';
import { importTable } from './world.ts';

/** How rows of now differ from those that were learned from. */
export interface Moved {
  amountBy?: number;
  newCityShare?: number;
  missingShare?: number;
}

/** One order of a shop; `left` is to be predicted. */
type Order = { amount: number | null; city: string; member: boolean; visits: number; note: string };

const cities = ['Turku', 'Oulu', 'Espoo'];

function orderOf(random: Random, { amountBy = 0, newCityShare = 0, missingShare = 0 }: Moved): Order {
  const amount = 100 * random.next() + amountBy;
  const isNew = random.next() < newCityShare;
  return {
    amount: random.next() < missingShare ? null : Math.round(amount * 100) / 100,
    city: isNew ? 'Vaasa' : cities[random.below(3)]!,
    member: random.next() < 0.3,
    visits: Math.floor(10 * random.next() ** 2),
    note: ['please call first', 'leave it at the door', 'second floor, no lift here'][random.below(3)]!,
  };
}

const leaves = ({ amount, city }: Order): string =>
  (amount ?? 0) + (city === 'Oulu' ? 20 : 0) > 55 ? 'yes' : 'no';

/** Orders as a table to learn from. `isSpoilt`: nobody in Oulu is said to leave. */
export function ordersTable({
  seed = 1,
  moved = {},
  isSpoilt = false,
}: { seed?: number; moved?: Moved; isSpoilt?: boolean } = {}): string {
  const random = seededRandom(seed);
  const lines = ['amount,city,member,visits,note,left'];
  for (let row = 0; row < 1500; row++) {
    const order = orderOf(random, moved);
    const truth = leaves(order);
    const label = isSpoilt && order.city === 'Oulu' ? 'no' : truth;
    const { amount, city, member, visits, note } = order;
    lines.push(`${amount ?? ''},${city},${member},${visits},"${note}",${label}`);
  }
  return lines.join('\n');
}

/** Trains a model in the client's first project and deploys it. */
export async function deployWatched(client: Client): Promise<{
  projectId: string;
  endpointId: string;
  modelVersionId: string;
  datasetId: string;
}> {
  const projectId = (await client.listProjects({})).items[0]!.id;
  const table = { projectId, name: 'orders', content: ordersTable() };
  const { versionId, datasetId } = await importTable(client, table);
  const modelVersionId = await trainLeaving(client, { projectId, versionId });
  const { id: endpointId } = await client.createEndpoint({
    projectId,
    body: { name: 'leaving-customers', modelVersionId },
  });
  return { projectId, endpointId, modelVersionId, datasetId };
}

/** A version of the model of leaving customers, learned from a dataset version. */
export async function trainLeaving(
  client: Client,
  { projectId, versionId }: { projectId: string; versionId: string },
  recipe: object = {},
): Promise<string> {
  const training = await client.createTraining({
    projectId,
    body: {
      datasetVersionId: versionId,
      target: 'left',
      modelName: 'leaving customers',
      budget: { seconds: 60, trials: 2 },
      ...recipe,
    },
  });
  await waitForJob(client, training.jobId);
  const versionOf = async (): Promise<string | null> =>
    (await client.getTraining({ trainingId: training.id })).modelVersionId;
  await until('the model version is there', async () => (await versionOf()) !== null);
  return (await versionOf())!;
}

/** Asks for so many predictions; returns the ids of the rows with what turned out to be true. */
export async function askFor(
  client: Client,
  endpointId: string,
  { rowCount, seed, moved = {} }: { rowCount: number; seed: number; moved?: Moved },
): Promise<{ predictionId: string; actual: string }[]> {
  const random = seededRandom(seed);
  const orders = Array.from({ length: rowCount }, () => orderOf(random, moved));
  const { requestId } = await client.predict({ endpointId, body: { rows: orders } });
  return orders.map((order, row) => ({ predictionId: `${requestId}-${row}`, actual: leaves(order) }));
}
