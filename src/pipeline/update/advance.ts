// What an update does next: one step for each state, each safe to do again. Whoever does a step may die in it, and several
// servers may try at once: what a step starts is started in the transaction that says so, or is looked for first.
import { Problem, problemKinds } from '../../base/problems.ts';
import { hourMs, toIso } from '../../base/time.ts';
import type { Context } from '../../platform/context.ts';
import type { Transaction } from '../../platform/ports/database.ts';
import { checkGate, suggestedRule } from '../compare/compare.ts';
import { listDatasetVersions } from '../data/data.ts';
import { getModelVersion, type ModelVersion } from '../registry/registry.ts';
import { createTraining, getTraining, type Training } from '../train/train.ts';
import { promote, type Promotion } from './promote.ts';
import { defaultSettings } from './settings.ts';
import { changePolicy, changeUpdate, findPolicy, findUpdate, type UpdateRow } from './rows.ts';
import { isRunning, type UpdateState } from './states.ts';

/** What becomes of an update. */
type Change = Partial<
  Pick<
    UpdateRow,
    | 'trainingId'
    | 'candidateVersionId'
    | 'candidateModelName'
    | 'candidateNumber'
    | 'comparisonId'
    | 'reasons'
  >
>;

interface Transition {
  to: UpdateState;
  words: string;
  change?: Change;
}

/** Does all that can be done now. */
export async function advanceUpdate(context: Context, updateId: string): Promise<void> {
  for (;;) {
    const row = await context.transaction((transaction) => findUpdate(transaction, updateId));
    if (!row || !isRunning(row.state) || context.signal.aborted) return;
    const isMoved = await advanceOnce(context, row);
    if (!isMoved) return;
  }
}

async function advanceOnce(context: Context, row: UpdateRow): Promise<boolean> {
  let next: Transition | 'moved' | undefined;
  try {
    next = await stepOf(context, row);
  } catch (error) {
    // What the world refuses ends the update; what is broken is tried again.
    if (!(error instanceof Problem) || mayPass(context, row, error)) throw error;
    next = ended('failed', error.message);
  }
  if (next === 'moved') return true;
  if (!next) return false;
  return await context.transaction((transaction) => move(context, transaction, row, next));
}

/** Whether the same may succeed later; for an hour. Money that is missing is not waited for. */
function mayPass({ clock }: Context, { createdAt }: UpdateRow, { code }: Problem): boolean {
  const isYoung = clock.nowMs() - createdAt.getTime() < hourMs;
  return isYoung && code !== 'budget-exceeded' && problemKinds[code].retryable;
}

/** Undefined: there is nothing to do yet. */
async function stepOf(context: Context, row: UpdateRow): Promise<Transition | 'moved' | undefined> {
  switch (row.state) {
    case 'starting':
      return await train(context, row);
    case 'training':
      return await lookAtTraining(context, row);
    case 'comparing':
      return await compare(context, row);
    case 'releasing':
      return await release(context, row);
    default:
      return undefined;
  }
}

/** Writes the next state unless another server did; tells what it was about. */
export async function move(
  context: Context,
  transaction: Transaction,
  row: UpdateRow,
  { to, words, change = {} }: Transition,
): Promise<boolean> {
  const now = context.clock.nowMs();
  const isMoved = await changeUpdate(transaction, row, {
    ...change,
    state: to,
    steps: [...row.steps, { state: to, words, at: toIso(now) }],
    ...(!isRunning(to) && { endedAt: new Date(now) }),
  });
  // Nothing was spent: what comes next need not wait.
  if (isMoved && to === 'skipped') await changePolicy(transaction, row.endpointId, { restsUntil: null });
  if (isMoved && !isRunning(to))
    await context.publish(transaction, {
      name: 'update-ended',
      projectId: row.projectId,
      data: { updateId: row.id, endpointId: row.endpointId, state: to },
    });
  return isMoved;
}

async function train(context: Context, row: UpdateRow): Promise<Transition | 'moved' | undefined> {
  const version = await getModelVersion(context, row.formerVersionId);
  const { lineage } = version;
  if (!lineage)
    return ended(
      'failed',
      'The version that answers was brought as a file: there is no recipe to train it by again.',
    );
  const { recipe } = await getTraining(context, lineage.trainingId);
  const newest = await newestData(context, lineage.datasetId);
  if (!newest)
    return ended('failed', `The dataset "${lineage.datasetName}" is gone: there is nothing to learn from.`);
  const isSameData = newest.id === lineage.datasetVersionId;
  if (isSameData && row.trigger.kind !== 'new-engine')
    return ended(
      'skipped',
      `"${lineage.datasetName}" has no version newer than ${newest.number}, which the model learned from: the same data gives the same model. Add newer rows to the dataset.`,
    );
  const limits = [recipe.budget.maxMicroUsd, row.maxMicroUsd].filter((limit) => limit !== null);
  const wanted = {
    ...recipe,
    datasetVersionId: newest.id,
    modelName: version.modelName,
    budget: { ...recipe.budget, maxMicroUsd: limits.length === 0 ? null : Math.min(...limits) },
  };
  let isOurs = true;
  const words = `Training by the recipe of version ${version.number} on "${lineage.datasetName}", version ${newest.number}.`;
  try {
    await createTraining(context, row.projectId, wanted, async (transaction, trainingId) => {
      isOurs = await move(context, transaction, row, { to: 'training', words, change: { trainingId } });
      // Takes the training back, too.
      if (!isOurs) throw new Problem('wrong-state', 'Another server started this training.');
    });
  } catch (error) {
    if (isOurs) throw error;
    return undefined;
  }
  return 'moved';
}

async function newestData(
  context: Context,
  datasetId: string,
): Promise<{ id: string; number: number } | undefined> {
  try {
    const { items } = await listDatasetVersions(context, { datasetId, limit: 50 });
    return items.find(({ state }) => state === 'ready');
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return undefined;
    throw error;
  }
}

async function lookAtTraining(context: Context, row: UpdateRow): Promise<Transition | undefined> {
  const training = await getTraining(context, row.trainingId!);
  if (training.state === 'failed' || training.state === 'cancelled')
    return ended('failed', training.problem?.detail ?? `The training is ${training.state}.`);
  // It has ended a moment before its version is registered.
  if (training.state !== 'succeeded' || training.modelVersionId === null) return undefined;
  const version = await getModelVersion(context, training.modelVersionId);
  return {
    to: 'comparing',
    words: `Version ${version.number} is there: ${scoreInWords(version, training)}. Replaying logged requests on it.`,
    change: {
      candidateVersionId: version.id,
      candidateModelName: version.modelName,
      candidateNumber: version.number,
    },
  };
}

function scoreInWords({ metric, score }: ModelVersion, { recipe }: Training): string {
  if (score === null) return `trained for at most ${recipe.budget.seconds} s`;
  return `${metric} ${Number(score.toPrecision(4))} on rows that it never saw`;
}

async function compare(context: Context, row: UpdateRow): Promise<Transition | undefined> {
  const { passed, isReady, reasons, comparisonId } = await checkGate(context, {
    endpointId: row.endpointId,
    modelVersionId: row.candidateVersionId!,
    ruleWhenNone: suggestedRule,
  });
  if (!isReady) {
    if (row.comparisonId !== comparisonId)
      await context.transaction((transaction) => changeUpdate(transaction, row, { comparisonId }));
    return undefined;
  }
  const change = { comparisonId, reasons };
  return passed
    ? { to: 'releasing', words: 'The gate let it through.', change }
    : { to: 'held-back', words: 'The gate held it back; the former version goes on answering.', change };
}

async function release(context: Context, row: UpdateRow): Promise<Transition | 'moved' | undefined> {
  const promotion = await releaseOrLook(context, row);
  switch (promotion.state) {
    case 'started':
      return 'moved';
    case 'under-way':
      return undefined;
    case 'done':
      return { to: 'promoted', words: promotion.words };
    case 'stopped':
      return {
        to: 'held-back',
        words: 'It was not promoted.',
        change: { reasons: promotion.reasons },
      };
    default:
      return promotion satisfies never;
  }
}

async function releaseOrLook(context: Context, row: UpdateRow): Promise<Promotion> {
  const policy = await context.transaction((transaction) => findPolicy(transaction, row.endpointId));
  const { takesOver } = policy?.settings ?? defaultSettings;
  const words = 'A release brings it to the endpoint.';
  const keep = (transaction: Transaction, releaseId: string): Promise<boolean> =>
    changeUpdate(transaction, row, {
      releaseId,
      steps: [...row.steps, { state: row.state, words, at: toIso(context.clock.nowMs()) }],
    });
  try {
    return await promote(context, row, { takesOver, keep });
  } catch (error) {
    // Another server was quicker: what it started is looked at next time.
    const now = await context.transaction((transaction) => findUpdate(transaction, row.id));
    if (now?.releaseId !== row.releaseId) return { state: 'under-way' };
    throw error;
  }
}

function ended(to: 'failed' | 'skipped', reason: string): Transition {
  const words = to === 'failed' ? 'It could not go on.' : 'There was nothing to do.';
  return { to, words, change: { reasons: [reason] } };
}
