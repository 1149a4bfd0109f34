// The decision-flip gate: what would change if another version answered for an endpoint, from its logged requests, and
// whether the endpoint's rule lets that version through. This file is what other folders see.
import type { z } from 'zod';
import { Problem } from '../../base/problems.ts';
import { hourMs, toIso } from '../../base/time.ts';
import {
  comparisonQuestion,
  type comparison,
  type comparisonFlip,
  type gateRule,
  type listedComparison,
} from '../../contract/comparison.ts';
import type { Context, Services } from '../../platform/context.ts';
import { pageOf, readCursor, readSequenceCursor } from '../../platform/http/cursor.ts';
import { endpointLogSettings, getEndpoint, type Endpoint } from '../deploy/deploy.ts';
import { getModelVersion, getUsableModelVersion, type ModelVersion } from '../registry/registry.ts';
import { judge, measureWords, readRule, type Verdict } from './gate-rule.ts';
import { compareJob } from './jobs.ts';
import {
  addComparison,
  dropEndpointComparisons,
  dropFlipsBefore,
  dropRule,
  endpointsWithFlips,
  findComparison,
  findRule,
  keepRule,
  listComparisonRows,
  listFlipRows,
  newestComparison,
  type ComparisonRow,
} from './rows.ts';

export type Comparison = z.output<typeof comparison>;
export type ListedComparison = z.output<typeof listedComparison>;
export type ComparisonFlip = z.output<typeof comparisonFlip>;
export type GateRule = z.output<typeof gateRule>;
export type Question = z.output<typeof comparisonQuestion>;

interface PageInput {
  limit: number;
  cursor?: string | undefined;
}

/** A comparison that is younger than this is asked again by nobody. */
const freshMs = hourMs;

/** What a gate says of a version. */
export interface GateAnswer {
  /** False while it is not known; see `isReady`. */
  passed: boolean;
  /** False: a comparison is under way. Ask again, or wait for the event `comparison-finished`. */
  isReady: boolean;
  /** Why it did not pass, in plain words with figures. */
  reasons: string[];
  /** Null where nothing had to be compared: no rule, or the version answers already. */
  comparisonId: string | null;
}

/**
 * Whether the rule of an endpoint lets a version through. Takes a comparison of the last hour with the version that answers
 * now, or starts one: then the answer is not ready. One that failed is the reason not to pass.
 * @param ruleWhenNone what counts for an endpoint without a rule; by default nothing is held back
 * @throws Problem as {@link createComparison}
 */
export async function checkGate(
  context: Context,
  {
    endpointId,
    modelVersionId,
    ruleWhenNone,
  }: { endpointId: string; modelVersionId: string; ruleWhenNone?: string },
): Promise<GateAnswer> {
  const [answering] = (await getEndpoint(context, endpointId)).deployments.toSorted(byShare);
  const kept = await context.transaction((transaction) => findRule(transaction, endpointId));
  const rule = kept ?? ruleWhenNone;
  if (rule === undefined || !answering || answering.modelVersionId === modelVersionId)
    return { passed: true, isReady: true, reasons: [], comparisonId: null };
  const pair = { endpointId, candidate: modelVersionId, answering: answering.modelVersionId };
  const known = await context.transaction((transaction) => newestComparison(transaction, pair));
  const isFresh = known && known.createdAt.getTime() > context.clock.nowMs() - freshMs;
  if (!known || !isFresh) {
    const started = await createComparison(context, endpointId, comparisonQuestion.parse({ modelVersionId }));
    return { passed: false, isReady: false, reasons: [underWay], comparisonId: started.id };
  }
  const { id: comparisonId, result, problem, state } = known;
  switch (state) {
    case 'making':
      return { passed: false, isReady: false, reasons: [underWay], comparisonId };
    case 'failed': {
      const reasons = [`The comparison could not be made: ${problem?.detail ?? 'it was ended'}`];
      return { passed: false, isReady: true, reasons, comparisonId };
    }
    case 'ready': {
      const { passed, reasons } = judge(rule, result!);
      return { passed, isReady: true, reasons, comparisonId };
    }
    default:
      return state satisfies never;
  }
}

const underWay = 'Logged requests are being replayed on the version; ask again in a moment.';

/** Starts to replay logged requests. Throws `not-found`, `invalid-request`, `endpoint-not-ready`, `onnx-unsupported` or `signing-key-withdrawn`. */
export async function createComparison(
  context: Context,
  endpointId: string,
  question: Question,
): Promise<Comparison> {
  const found = await getEndpoint(context, endpointId);
  const { answering, candidate } = await versionsOf(context, found, question);
  const nowMs = context.clock.nowMs();
  const to = question.to === null ? new Date(nowMs) : new Date(question.to);
  const from = question.from === null ? new Date(0) : new Date(question.from);
  if (!(from.getTime() < to.getTime())) throw refusal('body.from', 'must be before "to"');
  const comparisonId = context.newId('comparison');
  const { workspaceId } = context;
  const { projectId } = found;
  return await context.transaction(async (transaction) => {
    const subject = { workspaceId, projectId, subjectId: comparisonId, startedBy: context.actor.id };
    const jobId = await context.jobs.start(transaction, compareJob, { comparisonId }, subject);
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { compared: candidate.id, comparisonId },
    });
    const row = await addComparison(transaction, {
      id: comparisonId,
      workspaceId,
      projectId,
      endpointId,
      state: 'making',
      jobId,
      question,
      fromTime: from,
      toTime: to,
      candidateVersionId: candidate.id,
      candidateModelName: candidate.modelName,
      candidateNumber: candidate.number,
      answeringVersionId: answering.id,
      answeringModelName: answering.modelName,
      answeringNumber: answering.number,
      logNotes: [],
      createdAt: new Date(nowMs),
    });
    return show(row, undefined);
  });
}

/** The candidate and the version that answers most requests. */
async function versionsOf(
  context: Context,
  { name, projectId, deployments }: Endpoint,
  { modelVersionId, threshold, tolerance }: Question,
): Promise<{ answering: ModelVersion; candidate: ModelVersion }> {
  const candidate = await getUsableModelVersion(context, modelVersionId);
  if (candidate.projectId !== projectId)
    throw new Problem('not-found', `The project has no model version ${modelVersionId}.`);
  const [first] = deployments.toSorted(byShare);
  if (!first) throw new Problem('endpoint-not-ready', `No model version answers for "${name}".`);
  const answering = await getModelVersion(context, first.modelVersionId);
  if (answering.id === candidate.id) throw refusal('body.modelVersionId', 'is the version that answers now');
  if (answering.task !== candidate.task || answering.target !== candidate.target)
    throw refusal(
      'body.modelVersionId',
      `predicts "${candidate.target}" (${candidate.task}), and the endpoint "${answering.target}" (${answering.task})`,
    );
  if (threshold !== null && answering.task !== 'binary')
    throw refusal('body.threshold', 'is for two classes only');
  if (tolerance !== null && answering.classes !== null)
    throw refusal('body.tolerance', 'is for numbers only');
  if (answering.format === 'onnx' || candidate.format === 'onnx')
    throw new Problem(
      'onnx-unsupported',
      'Requests are replayed on models made here; one of the two versions is an imported ONNX model.',
    );
  return { answering, candidate };
}

/** The comparisons of an endpoint, newest first. Throws `not-found`. */
export async function listComparisons(
  context: Context,
  { endpointId, limit, cursor }: PageInput & { endpointId: string },
): Promise<{ items: ListedComparison[]; nextCursor: string | null }> {
  await getEndpoint(context, endpointId);
  return await context.transaction(async (transaction) => {
    const rows = await listComparisonRows(transaction, endpointId, { limit, after: readCursor(cursor) });
    const rule = await findRule(transaction, endpointId);
    return pageOf(
      rows,
      limit,
      ({ id }) => id,
      (row) => {
        const shown = show(row, rule);
        if (!shown.result) return { ...shown, result: null };
        const { segments: _s, moves: _m, unansweredReasons: _u, ...result } = shown.result;
        return { ...shown, result };
      },
    );
  });
}

/** One comparison. Throws `not-found`. */
export async function getComparison(context: Context, comparisonId: string): Promise<Comparison> {
  return await context.transaction(async (transaction) => {
    const row = await findComparison(transaction, comparisonId);
    if (!row) throw new Problem('not-found', `There is no comparison ${comparisonId}.`);
    return show(row, await findRule(transaction, row.endpointId));
  });
}

/** Flipped requests with both explanations. Throws `not-found`. */
export async function listComparisonFlips(
  context: Context,
  { comparisonId, limit, cursor }: PageInput & { comparisonId: string },
): Promise<{ items: ComparisonFlip[]; nextCursor: string | null }> {
  await getComparison(context, comparisonId);
  const after = readSequenceCursor(cursor);
  const rows = await context.transaction((transaction) =>
    listFlipRows(transaction, comparisonId, { limit, after }),
  );
  return pageOf(
    rows,
    limit,
    ({ place }) => String(place),
    ({ flip }) => flip,
  );
}

/** The rule of an endpoint. Throws `not-found`. */
export async function getGateRule(context: Context, endpointId: string): Promise<GateRule> {
  const { deployments } = await getEndpoint(context, endpointId);
  const rule = await context.transaction((transaction) => findRule(transaction, endpointId));
  const [answering] = deployments.toSorted(byShare);
  const hasCosts =
    answering !== undefined &&
    (await getModelVersion(context, answering.modelVersionId)).evaluation?.money !== undefined;
  return {
    endpointId,
    rule: rule ?? null,
    suggestion: hasCosts ? `${suggestedRule} and lost_money <= 0` : suggestedRule,
    measures: measureWords,
  };
}

/** A rule that most new versions keep to that learned the same from newer rows. */
export const suggestedRule = 'rows >= 30 and flipped <= 10% and worst_segment <= 25% and unanswered <= 0%';

/** Sets the rule, or takes it away. Throws `not-found`, and `invalid-request` pointing at what cannot be read. */
export async function setGateRule(
  context: Context,
  endpointId: string,
  rule: string | null,
): Promise<GateRule> {
  const text = rule?.trim() ?? null;
  if (text !== null) readRule(text);
  const { projectId } = await getEndpoint(context, endpointId);
  await context.transaction(async (transaction) => {
    if (text === null) await dropRule(transaction, endpointId);
    else
      await keepRule(transaction, {
        id: context.newId('gateRule'),
        workspaceId: context.workspaceId,
        projectId,
        endpointId,
        rule: text,
        createdAt: new Date(context.clock.nowMs()),
      });
    await context.audit(transaction, {
      action: 'endpoint:write',
      subjectId: endpointId,
      details: { gateRule: text },
    });
  });
  return await getGateRule(context, endpointId);
}

/** Forgets all that was compared for an endpoint. */
export async function forgetComparisons(context: Context, endpointId: string): Promise<void> {
  await context.transaction((transaction) => dropEndpointComparisons(transaction, endpointId));
}

/** Removes flips of requests that the log no longer keeps; safe when several servers do it. */
export async function forgetOldFlips({
  database,
  clock,
}: Pick<Services, 'database' | 'clock'>): Promise<void> {
  await database.asSystem('forget old flips', async (transaction) => {
    const settings = await endpointLogSettings(transaction, await endpointsWithFlips(transaction));
    for (const [endpointId, { keptDays }] of settings)
      await dropFlipsBefore(transaction, endpointId, new Date(clock.nowMs() - keptDays * 24 * hourMs));
  });
}

function byShare(one: { trafficShare: number }, other: { trafficShare: number }): number {
  return other.trafficShare - one.trafficShare;
}

function refusal(field: string, message: string): Problem {
  return new Problem('invalid-request', `"${field.replace('body.', '')}" ${message}.`, {
    errors: [{ field, message }],
  });
}

function show(row: ComparisonRow, rule: string | undefined): Comparison {
  const { id, endpointId, state, jobId, question, result, problem } = row;
  const verdict: Verdict | null = rule !== undefined && result ? judge(rule, result) : null;
  return {
    id,
    endpointId,
    state,
    jobId,
    question,
    candidate: {
      modelVersionId: row.candidateVersionId,
      modelName: row.candidateModelName,
      versionNumber: row.candidateNumber,
    },
    answering: {
      modelVersionId: row.answeringVersionId,
      modelName: row.answeringModelName,
      versionNumber: row.answeringNumber,
    },
    result,
    verdict,
    problem,
    createdAt: toIso(row.createdAt.getTime()),
  };
}
