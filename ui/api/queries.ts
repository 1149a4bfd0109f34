// What the pages read, as query options: one key and one call for each, so that any page can prefetch, read or
// invalidate it. Lists that are short by nature (projects, datasets, endpoints) are read whole; those that grow with
// use, or whose items are large (trainings and models carry their evaluations), come in pages.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { listAll } from '../../src/sdk/list-all.ts';
import { client } from './client.ts';
import type {
  AuditLine,
  Batch,
  BatchInput,
  BatchThrough,
  Charge,
  ComparisonFlip,
  ImportOptions,
  ImportSource,
  Job,
  ListedComparison,
  LoggedPrediction,
  JobState,
  Model,
  MonitorReportSummary,
  RecipeInput,
  TrainingSummary,
  Update,
} from './types.ts';

/** More than this is not shown in one list; the search of a page narrows it. */
const listLimit = 1000;

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) {
    all.push(item);
    if (all.length >= listLimit) break;
  }
  return all;
}

/** Which predictions of a log are wanted. */
interface LogSearch {
  search: string | undefined;
  outcome: 'known' | 'unknown' | undefined;
  from: string | undefined;
}

interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** What all paged queries have in common: they begin without a cursor, and are seen as one list. */
function paged<Item>() {
  return {
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<Item>) => last.nextCursor ?? undefined,
    select: (data: { pages: Page<Item>[] }) => data.pages.flatMap((page) => page.items),
  };
}

/** Whether one of the items read so far fulfils `test`. */
function someItem<Item>(data: { pages: Page<Item>[] } | undefined, test: (item: Item) => boolean): boolean {
  return data?.pages.some((page) => page.items.some(test)) ?? false;
}

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => client.getSession({}, { signal }),
  staleTime: 5 * 60_000,
});

export const serverQuery = queryOptions({
  queryKey: ['server'],
  queryFn: ({ signal }) => client.getServer({}, { signal }),
  staleTime: Infinity,
});

export const learnersQuery = queryOptions({
  queryKey: ['learners'],
  queryFn: ({ signal }) => client.listLearners({}, { signal }),
  staleTime: Infinity,
});

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: ({ signal }) => collect(listAll(client.listProjects, { limit: 200 }, { signal })),
});

export const datasetsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['datasets', projectId],
    queryFn: ({ signal }) => collect(listAll(client.listDatasets, { projectId, limit: 200 }, { signal })),
    refetchInterval: (query) =>
      query.state.data?.some((dataset) => dataset.latestVersion?.state === 'importing') ? 2000 : false,
  });

export const datasetQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['dataset', datasetId],
    queryFn: ({ signal }) => client.getDataset({ datasetId }, { signal }),
  });

export const datasetVersionsQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ['dataset', datasetId, 'versions'],
    queryFn: ({ signal }) =>
      collect(listAll(client.listDatasetVersions, { datasetId, limit: 200 }, { signal })),
  });

export const datasetVersionQuery = (versionId: string) =>
  queryOptions({
    queryKey: ['dataset-version', versionId],
    queryFn: ({ signal }) => client.getDatasetVersion({ versionId }, { signal }),
  });

export const profileQuery = (versionId: string) =>
  queryOptions({
    queryKey: ['profile', versionId],
    queryFn: ({ signal }) => client.getDatasetProfile({ versionId }, { signal }),
    // Of a large table it takes a while after the import; the server waits with its answer, so this does not hurry.
    retry: (_failures, error) => 'code' in error && error.code === 'profile-pending',
    retryDelay: 1000,
    staleTime: Infinity,
  });

export const rowsQuery = (versionId: string, offset: number, limit: number) =>
  queryOptions({
    queryKey: ['rows', versionId, offset, limit],
    queryFn: ({ signal }) => client.getDatasetRows({ versionId, offset, limit }, { signal }),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });

export const previewQuery = (projectId: string, source: ImportSource, options: ImportOptions) =>
  queryOptions({
    queryKey: ['preview', projectId, source, options],
    queryFn: ({ signal }) => client.previewImport({ projectId, body: { source, options } }, { signal }),
    staleTime: Infinity,
    placeholderData: keepPreviousData,
  });

export const planQuery = (projectId: string, recipe: RecipeInput) =>
  queryOptions({
    queryKey: ['plan', projectId, recipe],
    queryFn: ({ signal }) => client.planTraining({ projectId, body: recipe }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const trainingsQuery = (projectId: string) =>
  infiniteQueryOptions({
    ...paged<TrainingSummary>(),
    queryKey: ['trainings', projectId],
    queryFn: ({ signal, pageParam }) =>
      client.listTrainings({ projectId, cursor: pageParam, limit: 20 }, { signal }),
    refetchInterval: ({ state }) => (someItem(state.data, isAtWork) ? 3000 : false),
  });

export const trainingQuery = (trainingId: string) =>
  queryOptions({
    queryKey: ['training', trainingId],
    queryFn: ({ signal }) => client.getTraining({ trainingId }, { signal }),
  });

export const modelsQuery = (projectId: string) =>
  infiniteQueryOptions({
    ...paged<Model>(),
    queryKey: ['models', projectId],
    queryFn: ({ signal, pageParam }) =>
      client.listModels({ projectId, cursor: pageParam, limit: 50 }, { signal }),
  });

export const modelQuery = (modelId: string) =>
  queryOptions({
    queryKey: ['model', modelId],
    queryFn: ({ signal }) => client.getModel({ modelId }, { signal }),
  });

export const modelVersionsQuery = (modelId: string) =>
  queryOptions({
    queryKey: ['model', modelId, 'versions'],
    queryFn: ({ signal }) => collect(listAll(client.listModelVersions, { modelId, limit: 200 }, { signal })),
  });

export const modelVersionQuery = (versionId: string) =>
  queryOptions({
    queryKey: ['model-version', versionId],
    queryFn: ({ signal }) => client.getModelVersion({ versionId }, { signal }),
  });

/** Short by nature: one for each server, and those that were withdrawn. */
export const signingKeysQuery = queryOptions({
  queryKey: ['signing-keys'],
  queryFn: async ({ signal }) => (await client.listSigningKeys({}, { signal })).items,
});

export const endpointsQuery = (projectId: string) =>
  queryOptions({
    queryKey: ['endpoints', projectId],
    queryFn: ({ signal }) => collect(listAll(client.listEndpoints, { projectId, limit: 200 }, { signal })),
  });

export const endpointQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId],
    queryFn: ({ signal }) => client.getEndpoint({ endpointId }, { signal }),
  });

export const servingStatusQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'serving'],
    queryFn: ({ signal }) => client.getServingStatus({ endpointId }, { signal }),
    // Quick while something is on its way, so that progress is seen.
    refetchInterval: ({ state: { data } }) =>
      data?.state === 'loading' || data?.state === 'queued' ? 1_000 : 5_000,
  });

export const predictionLogQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'log'],
    queryFn: ({ signal }) => client.getPredictionLog({ endpointId }, { signal }),
  });

export const loggedPredictionsQuery = (endpointId: string, wanted: LogSearch) =>
  infiniteQueryOptions({
    ...paged<LoggedPrediction>(),
    queryKey: ['endpoint', endpointId, 'predictions', wanted],
    queryFn: ({ signal, pageParam }) =>
      client.listLoggedPredictions({ endpointId, ...wanted, cursor: pageParam, limit: 50 }, { signal }),
  });

export const loggedPredictionQuery = (endpointId: string, predictionId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'prediction', predictionId],
    queryFn: ({ signal }) => client.getLoggedPrediction({ endpointId, predictionId }, { signal }),
  });

export const batchesQuery = (projectId: string, through: BatchThrough) =>
  infiniteQueryOptions({
    ...paged<Batch>(),
    queryKey: ['batches', projectId, through],
    queryFn: ({ signal, pageParam }) =>
      client.listBatches(
        {
          projectId,
          cursor: pageParam,
          limit: 20,
          ...(through.kind === 'endpoint'
            ? { endpointId: through.endpointId }
            : { modelVersionId: through.modelVersionId }),
        },
        { signal },
      ),
    refetchInterval: ({ state }) => (someItem(state.data, isAtWork) ? 1500 : false),
  });

export const batchQuoteQuery = (projectId: string, input: BatchInput, through: BatchThrough) =>
  queryOptions({
    queryKey: ['batch-quote', projectId, input, through],
    // A large file takes a while to be counted.
    queryFn: ({ signal }) =>
      client.quoteBatch({ projectId, body: { input, through } }, { signal, timeoutMs: 600_000 }),
    retry: false,
    staleTime: 60_000,
  });

export const monitorQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'monitor'],
    queryFn: ({ signal }) => client.getMonitor({ endpointId }, { signal }),
    refetchInterval: 15_000,
  });

export const monitorReportsQuery = (endpointId: string) =>
  infiniteQueryOptions({
    ...paged<MonitorReportSummary>(),
    queryKey: ['endpoint', endpointId, 'reports'],
    queryFn: ({ signal, pageParam }) =>
      client.listMonitorReports({ endpointId, cursor: pageParam, limit: 60 }, { signal }),
    refetchInterval: ({ state }) => (someItem(state.data, (one) => one.state === 'making') ? 1500 : 15_000),
  });

export const monitorReportQuery = (reportId: string) =>
  queryOptions({
    queryKey: ['monitor-report', reportId],
    queryFn: ({ signal }) => client.getMonitorReport({ reportId }, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === 'making' ? 1500 : false),
    placeholderData: keepPreviousData,
  });

export const alertsQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'alerts'],
    queryFn: async ({ signal }) => (await client.listAlerts({ endpointId, limit: 20 }, { signal })).items,
    refetchInterval: 15_000,
  });

export const comparisonsQuery = (endpointId: string) =>
  infiniteQueryOptions({
    ...paged<ListedComparison>(),
    queryKey: ['endpoint', endpointId, 'comparisons'],
    queryFn: ({ signal, pageParam }) =>
      client.listComparisons({ endpointId, cursor: pageParam, limit: 20 }, { signal }),
    refetchInterval: ({ state }) => (someItem(state.data, (one) => one.state === 'making') ? 1500 : 15_000),
  });

export const comparisonQuery = (comparisonId: string) =>
  queryOptions({
    queryKey: ['comparison', comparisonId],
    queryFn: ({ signal }) => client.getComparison({ comparisonId }, { signal }),
    refetchInterval: ({ state }) => (state.data?.state === 'making' ? 1500 : false),
  });

export const comparisonFlipsQuery = (comparisonId: string) =>
  infiniteQueryOptions({
    ...paged<ComparisonFlip>(),
    queryKey: ['comparison', comparisonId, 'flips'],
    queryFn: ({ signal, pageParam }) =>
      client.listComparisonFlips({ comparisonId, cursor: pageParam, limit: 10 }, { signal }),
  });

export const gateRuleQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'gate-rule'],
    queryFn: ({ signal }) => client.getGateRule({ endpointId }, { signal }),
  });

export const updatePolicyQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'update-policy'],
    queryFn: ({ signal }) => client.getUpdatePolicy({ endpointId }, { signal }),
    refetchInterval: 10_000,
  });

export const updatesQuery = (endpointId: string) =>
  infiniteQueryOptions({
    ...paged<Update>(),
    queryKey: ['endpoint', endpointId, 'updates'],
    queryFn: ({ signal, pageParam }) =>
      client.listUpdates({ endpointId, cursor: pageParam, limit: 20 }, { signal }),
    refetchInterval: ({ state }) => (someItem(state.data, (one) => one.endedAt === null) ? 1500 : 5000),
  });

export const releasesQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['endpoint', endpointId, 'releases'],
    queryFn: async ({ signal }) => (await client.listReleases({ endpointId, limit: 20 }, { signal })).items,
    refetchInterval: 10_000,
  });

export const releaseQuery = (releaseId: string) =>
  queryOptions({
    queryKey: ['release', releaseId],
    queryFn: ({ signal }) => client.getRelease({ releaseId }, { signal }),
    refetchInterval: ({ state }) => (state.data?.endedAt ? false : 3000),
  });

export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ['job', jobId],
    queryFn: ({ signal }) => client.getJob({ jobId }, { signal }),
  });

export const jobsQuery = (state: JobState | undefined) =>
  infiniteQueryOptions({
    ...paged<Job>(),
    queryKey: ['jobs', state ?? 'all'],
    queryFn: ({ signal, pageParam }) => client.listJobs({ state, cursor: pageParam, limit: 50 }, { signal }),
    refetchInterval: (query) => (someItem(query.state.data, isAtWork) ? 3000 : false),
  });

export const membersQuery = queryOptions({
  queryKey: ['members'],
  queryFn: async ({ signal }) => (await client.listMembers({}, { signal })).items,
});

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => collect(listAll(client.listKeys, { limit: 200 }, { signal })),
});

export const budgetsQuery = queryOptions({
  queryKey: ['budgets'],
  queryFn: async ({ signal }) => (await client.listBudgets({}, { signal })).items,
});

export const pricesQuery = queryOptions({
  queryKey: ['prices'],
  queryFn: async ({ signal }) => (await client.listPrices({}, { signal })).items,
  staleTime: Infinity,
});

export const spendingQuery = (days: number) =>
  queryOptions({
    queryKey: ['spending', days],
    queryFn: async ({ signal }) => (await client.getSpending({ days }, { signal })).items,
    placeholderData: keepPreviousData,
  });

export const chargesQuery = infiniteQueryOptions({
  ...paged<Charge>(),
  queryKey: ['charges'],
  queryFn: ({ signal, pageParam }) => client.listCharges({ cursor: pageParam, limit: 50 }, { signal }),
});

export const auditQuery = infiniteQueryOptions({
  ...paged<AuditLine>(),
  queryKey: ['audit'],
  queryFn: ({ signal, pageParam }) => client.listAuditLines({ cursor: pageParam, limit: 50 }, { signal }),
});

/** Whether a job, and so a training, still has something to do. */
export function isActive(state: JobState): boolean {
  return state === 'queued' || state === 'running';
}

function isAtWork({ state }: { state: JobState }): boolean {
  return isActive(state);
}
