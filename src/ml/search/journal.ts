// What a search writes down so that another can go on from it when its process dies: each trial as it ends, with the
// models and predictions an ensemble needs, in the container of model files. Not a history for people: that is told by
// events. A record is taken up only when it is whole and was written for the same work, in its place in the order; from the
// first one that is not, trials are run anew. With a budget in trials the model is the same, byte for byte, as if nothing
// had happened.
import { canonicalJson } from '../../base/json.ts';
import { sha256 } from '../../base/hash.ts';
import { featuresOf } from '../frame/encoding.ts';
import type { Hyperparameters, HyperparameterValue } from '../learners/learner.ts';
import { learnerNamed } from '../learners/learners.ts';
import { countAt, demand, listAt, numberAt, objectAt, textAt, wordAt } from '../model/checks.ts';
import { readContainer, writeContainer, type SectionArray } from '../model/container.ts';
import { engineVersion } from '../model/manifest.ts';
import { doubles } from '../model/read-array.ts';
import { readPart, writePart } from '../model/read-parts.ts';
import { outputCountOf } from '../model/row-model.ts';
import type { Candidate } from './portfolio.ts';
import type { Prepared } from './prepare.ts';
import type { TrialReport } from './recipe.ts';
import { trialSeed, validationRows, type Trial } from './trial.ts';

/** Where records are kept; they may be lost or damaged, and the search goes on without them. */
export interface Journal {
  /** What earlier tries have used of the budget's time. */
  spentMs: number;
  /** The record of a trial, counted from 0; undefined when there is none. */
  read: (index: number) => Promise<Uint8Array | undefined>;
  /** Keeps a record, whole or not at all, in place of what was there. Never throws: then it is not there. */
  write: (index: number, record: Uint8Array) => Promise<void>;
}

/** A search's own journal: what earlier tries left, and where its trials go. */
export interface OpenJournal {
  trials: Trial[];
  /** Trials that were kept and cannot be taken up: the first of them, counted from 1. */
  damagedFrom?: number;
  keep: (trial: Trial, index: number) => Promise<void>;
}

/** Takes up the trials that were kept for the same work; `taken` is called with all that are there, after each. */
export async function openJournal(
  journal: Journal | undefined,
  prepared: Prepared,
  taken: (trials: readonly Trial[]) => void,
): Promise<OpenJournal> {
  const trials: Trial[] = [];
  if (!journal) return { trials, keep: () => Promise.resolve() };
  const fingerprint = await fingerprintOf(prepared);
  const keep = async (trial: Trial, index: number): Promise<void> => {
    const record = await writeTrial(trial, index, fingerprint).catch(() => undefined);
    if (record) await journal.write(index, record);
  };
  for (;;) {
    const record = await journal.read(trials.length);
    if (!record) return { trials, keep };
    const trial = await readTrial(record, trials.length, { prepared, fingerprint }).catch(() => undefined);
    if (!trial) return { trials, keep, damagedFrom: trials.length + 1 };
    trials.push(trial);
    taken(trials);
  }
}

/** The bytes of a trial that has ended. @throws Problem `memory-limit` beyond what a file may hold */
async function writeTrial(trial: Trial, index: number, fingerprint: string): Promise<Uint8Array> {
  const { report, candidate, models, predictions, settled, notes } = trial;
  const sections = new Map<string, SectionArray>([
    // Numbers that may be infinite, which JSON cannot say.
    [
      'trial/outcome',
      Float64Array.of(
        trial.utility,
        trial.firstFoldUtility,
        trial.secondsPerRow,
        trial.modelMs ?? NaN,
        trial.sampleUtility ?? NaN,
        trial.secondsPerModel,
      ),
    ],
    ['trial/predictions', models.length === 0 ? new Float64Array(0) : predictions],
  ]);
  const parts = models.map((model, fold) => writePart(model, `models/${fold}`, sections));
  return await writeContainer(
    { fingerprint, index, report, candidate, settled, notes, models: parts },
    sections,
  );
}

/**
 * The trial that `writeTrial` wrote.
 * @throws Problem when the record is damaged, or was written for other work or another place
 */
async function readTrial(
  record: Uint8Array,
  index: number,
  { prepared, fingerprint }: { prepared: Prepared; fingerprint: string },
): Promise<Trial> {
  const { document, sections } = await readContainer(record);
  const fields = objectAt(document, 'the trial');
  demand(fields['fingerprint'] === fingerprint, 'it was written for other work');
  demand(countAt(fields['index'], 'index') === index, 'it is of another trial');
  const { target, encoding, folds } = prepared;
  const outputCount = outputCountOf(target.task, target.classes.length);
  const context = {
    sections,
    levelCounts: featuresOf(encoding).map((feature) => feature.levelCount),
    outputCount,
  };
  const models = listAt(fields['models'], 'models', folds.length, (item, place) =>
    readPart(item, place, context),
  );
  demand(models.length === 0 || models.length === folds.length, 'it lacks a fold');
  const source = { prefix: 'trial', sections };
  const predictionCount = models.length === 0 ? 0 : validationRows(prepared).length * outputCount;
  const outcome = sections.get('trial/outcome');
  demand(outcome instanceof Float64Array && outcome.length === 6, 'it says no outcome');
  const [utility, firstFoldUtility, secondsPerRow, modelMs, sampleUtility, secondsPerModel] = outcome;
  return {
    report: readReport(fields['report']),
    candidate: readCandidate(fields['candidate']),
    seed: trialSeed(prepared, index),
    models,
    predictions: doubles(source, 'predictions', predictionCount),
    utility: utility!,
    firstFoldUtility: firstFoldUtility!,
    secondsPerRow: secondsPerRow!,
    secondsPerModel: secondsPerModel!,
    ...(!Number.isNaN(modelMs) && { modelMs: modelMs! }),
    ...(!Number.isNaN(sampleUtility) && { sampleUtility: sampleUtility! }),
    settled: listAt(fields['settled'], 'settled', folds.length, readHyperparameters),
    notes: listAt(fields['notes'], 'notes', 100, textAt),
  };
}

function readReport(value: unknown): TrialReport {
  const fields = objectAt(value, 'report');
  const { score, problem, judgedOn } = fields;
  return {
    id: textAt(fields['id'], 'id'),
    ...readSettings(fields),
    score: score === null ? null : numberAt(score, 'score'),
    foldScores: listAt(fields['foldScores'], 'foldScores', 100, numberAt),
    seconds: numberAt(fields['seconds'], 'seconds'),
    state: wordAt(fields['state'], 'state', ['finished', 'stopped', 'failed']),
    weight: 0,
    ...(judgedOn !== undefined && { judgedOn: readJudgedOn(judgedOn) }),
    ...(problem !== undefined && { problem: readProblem(problem) }),
  };
}

function readJudgedOn(value: unknown): NonNullable<TrialReport['judgedOn']> {
  const fields = objectAt(value, 'judgedOn');
  return {
    rowCount: countAt(fields['rowCount'], 'rowCount'),
    foldCount: countAt(fields['foldCount'], 'foldCount'),
  };
}

function readProblem(value: unknown): { code: string; detail: string } {
  const fields = objectAt(value, 'problem');
  return { code: textAt(fields['code'], 'code'), detail: textAt(fields['detail'], 'detail') };
}

function readCandidate(value: unknown): Candidate {
  const fields = objectAt(value, 'candidate');
  return {
    ...readSettings(fields),
    timeShare: numberAt(fields['timeShare'], 'timeShare'),
    isExploring: fields['isExploring'] === true,
  };
}

function readSettings(
  fields: Readonly<Record<string, unknown>>,
): Pick<TrialReport, 'learner' | 'label' | 'hyperparameters'> {
  const learner = textAt(fields['learner'], 'learner');
  learnerNamed(learner);
  return {
    learner,
    label: textAt(fields['label'], 'label'),
    hyperparameters: readHyperparameters(fields['hyperparameters'], 'hyperparameters'),
  };
}

function readHyperparameters(value: unknown, place: string): Hyperparameters {
  return Object.fromEntries(
    Object.entries(objectAt(value, place)).map(([name, setting]): [string, HyperparameterValue] => [
      name,
      typeof setting === 'string' ? textAt(setting, name) : numberAt(setting, name),
    ]),
  );
}

/** What a search must have in common with the one whose records it takes up; its data are the job's, which never change. */
async function fingerprintOf({ recipe, encoding, training, holdout, folds }: Prepared): Promise<string> {
  const features = featuresOf(encoding).map(({ name, levelCount }) => [name, levelCount]);
  const rows = [training, holdout].map(({ actual }) => actual.length);
  const judged = folds.map(({ validation }) => [validation.length, validation[0]]);
  return await sha256(canonicalJson({ engineVersion, recipe, features, rows, judged }));
}
