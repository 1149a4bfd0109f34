// Names for the documents that the API answers with. All of them come from the contract through the SDK.
import type { AnswerFor, EventFor, InputFor } from '../../src/sdk/types.ts';

export type Session = AnswerFor<'getSession'>;
export type Role = Session['role'];
export type ServerInfo = AnswerFor<'getServer'>;
export type Project = AnswerFor<'getProject'>;
export type Member = AnswerFor<'listMembers'>['items'][number];
export type Key = AnswerFor<'listKeys'>['items'][number];
export type SigningKey = AnswerFor<'listSigningKeys'>['items'][number];
export type AuditLine = AnswerFor<'listAuditLines'>['items'][number];

export type Dataset = AnswerFor<'getDataset'>;
export type DatasetVersion = AnswerFor<'getDatasetVersion'>;
export type DatasetProfile = AnswerFor<'getDatasetProfile'>;
export type ColumnProfile = DatasetProfile['columns'][number];
export type ColumnType = DatasetVersion['columns'][number]['type'];
export type ImportPreview = AnswerFor<'previewImport'>;
export type ImportOptions = ImportPreview['options'];
export type ImportSource = InputFor<'previewImport'>['body']['source'];
export type TableData = AnswerFor<'getDatasetRows'>;
export type QueryResult = AnswerFor<'runQuery'>;

export type RecipeInput = InputFor<'createTraining'>['body'];
export type Training = AnswerFor<'getTraining'>;
export type TrainingSummary = AnswerFor<'listTrainings'>['items'][number];
export type TrainingPlan = AnswerFor<'planTraining'>;
export type Trial = Training['leaderboard'][number];
export type Evaluation = NonNullable<Training['evaluation']>;
export type Task = NonNullable<Training['task']>;
export type Importance = NonNullable<Training['importance']>;
export type LearnerCatalogue = AnswerFor<'listLearners'>;

export type Model = AnswerFor<'getModel'>;
export type ModelVersion = AnswerFor<'getModelVersion'>;
export type ModelVersionSummary = AnswerFor<'listModelVersions'>['items'][number];
export type ModelField = ModelVersion['fields'][number];

export type Endpoint = AnswerFor<'getEndpoint'>;
export type ServingStatus = AnswerFor<'getServingStatus'>;
export type PredictionLog = AnswerFor<'getPredictionLog'>;
export type LoggedPredictionWithOrigin = AnswerFor<'getLoggedPrediction'>;
export type LoggedPrediction = LoggedPredictionWithOrigin['prediction'];
export type Explanation = AnswerFor<'explainRows'>['explanations'][number];
export type Prediction = AnswerFor<'predict'>['predictions'][number];
export type Monitor = AnswerFor<'getMonitor'>;
export type MonitorReport = AnswerFor<'getMonitorReport'>;
export type MonitorReportSummary = AnswerFor<'listMonitorReports'>['items'][number];
export type MonitorDetails = NonNullable<MonitorReport['details']>;

export type Comparison = AnswerFor<'getComparison'>;
export type ListedComparison = AnswerFor<'listComparisons'>['items'][number];
export type ComparisonFlip = AnswerFor<'listComparisonFlips'>['items'][number];
export type UpdatePolicy = AnswerFor<'getUpdatePolicy'>;
export type Update = AnswerFor<'getUpdate'>;
export type GateRule = AnswerFor<'getGateRule'>;
export type Release = AnswerFor<'getRelease'>;
export type NewRelease = InputFor<'startRelease'>['body'];

export type Batch = AnswerFor<'getBatch'>;
export type BatchQuote = AnswerFor<'quoteBatch'>;
export type BatchInput = InputFor<'createBatch'>['body']['input'];
export type BatchThrough = InputFor<'createBatch'>['body']['through'];

export type Job = AnswerFor<'getJob'>;
export type JobEvent = EventFor<'watchJob'>;
export type JobState = Job['state'];

export type Budget = AnswerFor<'listBudgets'>['items'][number];
export type Charge = AnswerFor<'listCharges'>['items'][number];
export type Spending = AnswerFor<'getSpending'>['items'];
