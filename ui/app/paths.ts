// The addresses of the pages, in one place.

export const paths = {
  home: '/',
  signIn: '/sign-in',
  projects: '/projects',
  project: (projectId: string) => `/projects/${projectId}`,
  data: (projectId: string) => `/projects/${projectId}/data`,
  importUpload: (projectId: string, uploadId: string) => `/projects/${projectId}/data/import/${uploadId}`,
  dataset: (projectId: string, datasetId: string, tab?: string) =>
    `/projects/${projectId}/data/${datasetId}${tab ? `/${tab}` : ''}`,
  train: (projectId: string, datasetId?: string) =>
    `/projects/${projectId}/train${datasetId ? `?dataset=${datasetId}` : ''}`,
  trainings: (projectId: string) => `/projects/${projectId}/trainings`,
  training: (projectId: string, trainingId: string) => `/projects/${projectId}/trainings/${trainingId}`,
  models: (projectId: string) => `/projects/${projectId}/models`,
  model: (projectId: string, modelId: string, tab?: string) =>
    `/projects/${projectId}/models/${modelId}${tab ? `/${tab}` : ''}`,
  /** Finds the model of a version and goes to it. */
  modelVersion: (projectId: string, versionId: string) =>
    `/projects/${projectId}/model-versions/${versionId}`,
  /** Finds the dataset of a version and goes to it. */
  datasetVersion: (projectId: string, versionId: string) =>
    `/projects/${projectId}/dataset-versions/${versionId}`,
  endpoints: (projectId: string) => `/projects/${projectId}/endpoints`,
  endpoint: (projectId: string, endpointId: string, tab?: string) =>
    `/projects/${projectId}/endpoints/${endpointId}${tab ? `/${tab}` : ''}`,
  jobs: '/jobs',
  spending: '/workspace/spending',
  members: '/workspace/members',
  keys: '/workspace/keys',
  audit: '/workspace/audit',
  server: '/workspace/server',
} as const;
