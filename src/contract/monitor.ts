// Monitoring: whether what an endpoint is asked, and what it answers, still is what its model learned from. Each endpoint
// has one monitor; it makes reports over windows of the prediction log, and opens alerts.
import { z } from 'zod';
import { tasks } from './evaluation.ts';
import { idParam, isoTime, operation, page, pageQuery } from './operation.ts';
import { problemSchema } from './problem.ts';

const tag = 'Monitor';

export const driftLevel = z
  .enum(['unclear', 'same', 'little', 'lot'])
  .describe('unclear: too few rows to tell. same: not more than chance explains. little, lot: it has moved.');

const alertRule = z
  .object({
    measure: z
      .enum(['moved-columns', 'answers', 'attributions', 'quality', 'performance', 'coverage'])
      .describe(
        'moved-columns: how many columns moved a lot. answers: the stability index of the answers. attributions: what part of all that counts for the answers has gone to other columns. quality: of the column where it is most, the share of values that are missing beyond what is usual, invalid, out of range or new. performance: by what part of it the score is clearly worse than on held-out rows. coverage: by how much less than promised intervals and sets of likely classes hold the truth.',
      ),
    opensFrom: z.number().min(0).max(1000).describe('A window with at least this counts towards an alert.'),
    closesBelow: z
      .number()
      .min(0)
      .max(1000)
      .describe('An open alert closes with the first window below this; at most `opensFrom`.'),
    windowCount: z.number().int().min(1).max(20).describe('So many windows in a row open it.'),
  })
  .refine(({ opensFrom, closesBelow }) => closesBelow <= opensFrom, {
    message: 'must be at most opensFrom',
    path: ['closesBelow'],
  })
  .meta({ id: 'AlertRule' });

const alertChannel = z
  .object({
    kind: z
      .enum(['webhook', 'slack', 'mail'])
      .describe(
        'webhook: the alert as JSON, signed with the key of the installation as Standard Webhooks has it (v1a). slack: a message as Slack and those like it take it. mail: a letter, where the installation has a mail server.',
      ),
    address: z
      .string()
      .max(2000)
      .describe(
        'Where to: of mail a mail address, else one that begins with https:// or http://. The latter are often secrets: answers show where one leads and how it ends. Sent back as it is shown, it stays.',
      ),
  })
  .superRefine(({ kind, address }, { addIssue }) => {
    const [schema, message] =
      kind === 'mail'
        ? [z.email(), 'must be a mail address, such as ann@example.org']
        : [z.url({ protocol: /^https?$/ }), 'must be an address that begins with https:// or http://'];
    if (!schema.safeParse(address).success) addIssue({ code: 'custom', message, path: ['address'] });
  })
  .meta({ id: 'AlertChannel' });

export const monitorSettings = z
  .object({
    isOn: z.boolean().describe('Whether a report is made after each window.'),
    windowHours: z.number().int().min(1).max(744).describe('How long a window is, in hours.'),
    reference: z
      .enum(['training', 'previous-window'])
      .describe('What rows are compared with: those the model learned from, or those of the window before.'),
    excludedColumns: z.array(z.string().min(1).max(1000)).max(4096).describe('Columns that may move.'),
    rules: z.array(alertRule).max(10),
    channels: z.array(alertChannel).max(5).describe('Who is told when an alert opens or closes.'),
  })
  .meta({ id: 'MonitorSettings' });

export const alert = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    reportId: z.string().describe('The report that opened it.'),
    rule: alertRule,
    state: z.enum(['open', 'closed']),
    value: z.number().describe('Of the newest window.'),
    message: z.string(),
    openedAt: isoTime,
    closedAt: isoTime.nullable(),
  })
  .meta({ id: 'Alert' });

const estimate = z.object({
  value: z.number(),
  lower: z.number().describe('Of an interval of 95 %.'),
  upper: z.number(),
});

export const reportSummary = z.object({
  headline: z.string().describe('What it found, in a sentence.'),
  level: driftLevel.describe('The worst there is to say.'),
  rowCount: z.number().int(),
  movedLittleCount: z.number().int(),
  movedLotCount: z.number().int(),
  largestPsi: z.number().nullable(),
  answersLevel: driftLevel,
  answersPsi: z.number().nullable(),
  attributionsLevel: driftLevel,
  attributionsDistance: z.number().nullable(),
  worstQualityShare: z.number(),
  score: z.number().nullable().describe('The metric of the model on rows whose outcome is known.'),
  scoreLoss: z
    .number()
    .nullable()
    .describe(
      'By what part of the score on held-out rows it is worse, at the better end of its interval: 0 unless clearly worse.',
    ),
  expectedAccuracy: z.number().nullable(),
  coverage: z.number().nullable(),
  coverageGap: z.number().nullable().describe('By how much less than promised is covered, clearly; else 0.'),
});

export const monitorReport = z
  .object({
    id: z.string(),
    endpointId: z.string(),
    state: z.enum(['making', 'ready', 'failed']),
    jobId: z.string().nullable(),
    from: isoTime,
    to: isoTime.describe('Rows were answered before it.'),
    modelVersionId: z.string(),
    modelName: z.string(),
    versionNumber: z.number().int(),
    summary: reportSummary.nullable(),
    problem: problemSchema.nullable(),
    createdAt: isoTime,
  })
  .meta({ id: 'MonitorReport' });

const distribution = z.object({
  edges: z.array(z.number()).nullable().describe('Between bins of numbers: one fewer than there are bins.'),
  values: z.array(z.string()).nullable().describe('Of a column of values; behind them come all others.'),
  hasOthers: z.boolean(),
  reference: z.array(z.number()),
  current: z.array(z.number()),
});

const drift = z.object({
  level: driftLevel,
  psi: z.number().describe('The stability index: below 0.1 as before, from 0.25 on moved a lot.'),
  pValue: z.number().describe('The chance of such a difference by luck, corrected for all columns.'),
  measures: z.array(
    z.object({
      measure: z.enum(['psi', 'kolmogorov-smirnov', 'jensen-shannon', 'chi-square', 'mean-discrepancy']),
      value: z.number(),
      pValue: z.number().nullable(),
    }),
  ),
  distribution,
});

const quality = z.object({
  missingShare: z.number(),
  referenceMissingShare: z.number(),
  invalidShare: z.number(),
  outsideShare: z.number().nullable(),
  unseenShare: z.number().nullable(),
  unseenValues: z.array(z.string()),
  distinctCount: z.number().int(),
  referenceDistinctCount: z.number().int(),
});

export const reportDetails = z
  .object({
    comparedWith: z.object({
      kind: z.enum(['training', 'previous-window', 'nothing']),
      rowCount: z.number().int(),
      why: z.string().nullable().describe('Why with nothing, or not with what was asked for.'),
    }),
    columns: z
      .array(
        z.object({
          column: z.string(),
          kind: z.enum(['number', 'date', 'category', 'text']),
          importance: z.number().nullable(),
          drift: drift.nullable(),
          quality,
        }),
      )
      .describe('Most moved first.'),
    answers: drift.nullable(),
    confidence: drift.nullable().describe('Of the probability of the predicted class.'),
    attributions: z
      .object({
        level: driftLevel,
        distance: z
          .number()
          .describe('What part of all that counts has gone to other columns: 0 none, 1 everything.'),
        rowCount: z.number().int().describe('So many rows were explained, drawn from all.'),
        referenceRowCount: z.number().int(),
        columns: z
          .array(z.object({ column: z.string(), reference: z.number(), current: z.number() }))
          .describe('The share of each in what counts for the answers, greatest first; at most 50.'),
      })
      .nullable()
      .describe('Which columns the answers come from. Null where the model cannot be explained.'),
    expectedAccuracy: estimate
      .nullable()
      .describe('Classification: how many answers are right, by what the model itself says of each.'),
    performance: z
      .object({
        outcomeCount: z.number().int(),
        metric: z.string(),
        greaterIsBetter: z.boolean(),
        score: estimate,
        trainedScore: z.number().nullable().describe('On the rows that were held out when it was trained.'),
        errorMeasure: z.enum(['mistakes', 'distance']),
        error: estimate,
        slices: z
          .array(
            z.object({
              column: z.string(),
              segment: z.string(),
              rowCount: z.number().int(),
              error: estimate,
              errorElsewhere: z.number(),
            }),
          )
          .describe('Where it is clearly worse than elsewhere, worst first.'),
      })
      .nullable()
      .describe('From outcomes that were sent; null while there are too few.'),
    coverage: estimate
      .extend({ promised: z.number(), outcomeCount: z.number().int() })
      .nullable()
      .describe('How many outcomes lay in the interval, or among the likely classes.'),
  })
  .meta({ id: 'ReportDetails' });

export const monitor = z
  .object({
    endpointId: z.string(),
    settings: monitorSettings,
    nextReportAt: isoTime.nullable(),
    latestReport: monitorReport.nullable().describe('The newest that is ready.'),
    openAlerts: z.array(alert),
  })
  .meta({ id: 'Monitor' });

export const monitorReportWithDetails = monitorReport
  .extend({ task: z.enum(tasks).nullable(), details: reportDetails.nullable() })
  .meta({ id: 'MonitorReportWithDetails' });

const endpointParams = idParam('endpointId');

export const getMonitor = operation({
  operationId: 'getMonitor',
  method: 'get',
  path: '/endpoints/{endpointId}/monitor',
  summary: 'How an endpoint is watched, and what was found last',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams },
  response: { status: 200, json: monitor },
  problems: ['not-found'],
});

export const setMonitor = operation({
  operationId: 'setMonitor',
  method: 'patch',
  path: '/endpoints/{endpointId}/monitor',
  summary: 'Change how an endpoint is watched; what is left out stays as it is',
  tag,
  policy: 'endpoint:write',
  request: { params: endpointParams, json: monitorSettings.partial() },
  response: { status: 200, json: monitor },
  problems: ['not-found'],
});

export const makeMonitorReport = operation({
  operationId: 'makeMonitorReport',
  method: 'post',
  path: '/endpoints/{endpointId}/monitor/reports',
  summary: 'Make a report now; without times, of the window that ends now',
  tag,
  policy: 'endpoint:write',
  request: {
    params: endpointParams,
    json: z.object({
      from: z.iso.datetime({ offset: true }).optional(),
      to: z.iso.datetime({ offset: true }).optional(),
    }),
  },
  response: { status: 202, json: monitorReport },
  problems: ['not-found', 'invalid-request', 'endpoint-not-ready'],
});

export const listMonitorReports = operation({
  operationId: 'listMonitorReports',
  method: 'get',
  path: '/endpoints/{endpointId}/monitor/reports',
  summary: 'The reports of an endpoint, newest first',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams, query: pageQuery },
  response: { status: 200, json: page(monitorReport) },
  problems: ['not-found'],
});

export const getMonitorReport = operation({
  operationId: 'getMonitorReport',
  method: 'get',
  path: '/monitor-reports/{reportId}',
  summary: 'One report with every column',
  tag,
  policy: 'prediction:read',
  request: { params: idParam('reportId') },
  response: { status: 200, json: monitorReportWithDetails },
  problems: ['not-found'],
});

export const listAlerts = operation({
  operationId: 'listAlerts',
  method: 'get',
  path: '/endpoints/{endpointId}/monitor/alerts',
  summary: 'The alerts of an endpoint, newest first',
  tag,
  policy: 'prediction:read',
  request: { params: endpointParams, query: pageQuery },
  response: { status: 200, json: page(alert) },
  problems: ['not-found'],
});
