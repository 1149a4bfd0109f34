// The portable model file (.pilvi): write one, open one. Data only: nothing in it is executed. Opening checks every
// checksum, every index, and that the model gives the very same answers as where it was made (golden rows).
import type { JsonObject } from '../../base/json.ts';
import { asProblem, Problem } from '../../base/problems.ts';
import { featuresOf } from '../frame/encoding.ts';
import { readBackground, writeBackground } from './background.ts';
import { demand, listAt, numberAt, objectAt, textAt } from './checks.ts';
import { readContainer, writeContainer, type SectionArray } from './container.ts';
import { invalid, type Trust } from './header.ts';
import type { EnsembleMember, ModelContent } from './manifest.ts';
import { predictorOf, type Prediction, type Predictor } from './predictor.ts';
import { readManifest } from './read-manifest.ts';
import { readPart, writePart, type PartContext } from './read-parts.ts';
import { outputCountOf, stepCountOf } from './row-model.ts';

const maximumMembers = 200;
const maximumModels = 200;
const maximumGoldenRows = 32;
/** About half a second for one row; ensembles of networks come to a hundredth of it. */
const maximumSteps = 500_000_000;

/**
 * The bytes of a model file, unsigned; equal content gives equal bytes.
 * @throws Problem `memory-limit` beyond 1 GB, `model-file-invalid` for a model that nobody could wait for
 */
export async function writeModel(content: ModelContent): Promise<Uint8Array<ArrayBuffer>> {
  checkSteps(content.members);
  const sections = new Map<string, SectionArray>();
  const members = content.members.map((member, index) => ({
    ...member,
    models: member.models.map((model, fold) => writePart(model, `${index}/${fold}`, sections)),
  }));
  const rows = content.goldenRows.slice(0, maximumGoldenRows);
  const golden = { rows, predictions: predictorOf(content).predictRows(rows).predictions };
  const { manifest, background } = content;
  const kept = background.length > 0 && { background: writeBackground(background, manifest.schema) };
  return writeContainer({ manifest, members, golden, ...kept }, sections);
}

/**
 * A predictor from the bytes of a model file, which may come from anywhere, unless `trust` says whose it must be. The
 * bytes belong to the predictor, which computes with them where they lie: leave them unchanged.
 * @throws Problem `model-file-invalid` (damaged, cut short, or not one), `model-file-too-new`, `model-file-untrusted`
 */
export async function openModel(bytes: Uint8Array, trust?: Trust): Promise<Predictor> {
  return predictorOf(await readModel(bytes, trust));
}

/** The whole content of a model file, checked as {@link openModel} does. */
export async function readModel(bytes: Uint8Array, trust?: Trust): Promise<ModelContent> {
  const { document, sections } = await readContainer(bytes, trust);
  try {
    return readContent(document, sections);
  } catch (error) {
    const problem = asProblem(error);
    // Whatever else goes wrong here is the file's fault, such as golden rows that its own schema refuses.
    throw problem.code === 'model-file-invalid' ? problem : invalid('its parts do not fit together', error);
  }
}

function readContent(document: unknown, sections: ReadonlyMap<string, SectionArray>): ModelContent {
  const fields = objectAt(document, 'the document');
  const manifest = readManifest(fields['manifest']);
  const context: PartContext = {
    sections,
    levelCounts: featuresOf(manifest.encoding).map((feature) => feature.levelCount),
    outputCount: outputCountOf(manifest.task, manifest.classes.length),
  };
  const claimed = new Set<string>();
  const members = listAt(fields['members'], 'members', maximumMembers, (item, place) =>
    readMember(item, place, { ...context, claimed }),
  );
  if (members.length === 0) throw invalid('it has no members');
  checkSteps(members);
  const golden = objectAt(fields['golden'], 'golden');
  const goldenRows = listAt(golden['rows'], 'golden.rows', maximumGoldenRows, objectAt) as JsonObject[];
  const background = readBackground(fields['background'], manifest.schema);
  demand(
    background.length === (manifest.training.backgroundRowCount ?? 0),
    'the background has another number of rows than it says',
  );
  const content = { manifest, members, goldenRows, background };
  checkGolden(content, golden['predictions']);
  return content;
}

/** Small files could ask for endless work: every head of a network passes all its weights. */
function checkSteps(members: readonly EnsembleMember[]): void {
  const models = members.flatMap((member) => member.models);
  const steps = models.reduce((sum, model) => sum + stepCountOf(model), 0);
  if (steps > maximumSteps) throw invalid('one answer would take longer than anyone waits for');
}

/** Sections belong to one model: a file in which thousands share them would take thousands of times its size to check. */
function claimSections(value: unknown, place: string, claimed: Set<string>): void {
  const prefix = textAt(objectAt(value, place)['prefix'], `${place}.prefix`);
  if (claimed.has(prefix)) throw invalid(`${place} uses the sections of another model`);
  claimed.add(prefix);
}

function readMember(
  value: unknown,
  place: string,
  context: PartContext & { claimed: Set<string> },
): EnsembleMember {
  const fields = objectAt(value, place);
  const models = listAt(fields['models'], `${place}.models`, maximumModels, (item, at) => {
    claimSections(item, at, context.claimed);
    return readPart(item, at, context);
  });
  if (models.length === 0) throw invalid(`${place} has no models`);
  return {
    learner: textAt(fields['learner'], `${place}.learner`),
    label: textAt(fields['label'], `${place}.label`),
    hyperparameters: objectAt(fields['hyperparameters'], `${place}.hyperparameters`) as JsonObject,
    weight: numberAt(fields['weight'], `${place}.weight`),
    models,
  };
}

/** Equal bits, or the file is refused: a runtime that computes otherwise must not answer. */
function checkGolden(content: ModelContent, expected: unknown): void {
  const { predictRows } = predictorOf(content);
  // In halves: so few rows walk through trees where these lie, and no packed copy of them is made that may not be needed.
  const half = Math.ceil(content.goldenRows.length / 2);
  const predictions = [content.goldenRows.slice(0, half), content.goldenRows.slice(half)].flatMap(
    (rows) => predictRows(rows).predictions,
  );
  const isEqual =
    Array.isArray(expected) &&
    expected.length === predictions.length &&
    predictions.every((prediction, row) => isSame(prediction, expected[row]));
  if (!isEqual)
    throw new Problem(
      'model-file-invalid',
      'The model file cannot be used: it does not give the answers that it gave where it was made.',
    );
}

function isSame(prediction: Prediction, value: unknown): boolean {
  const expected = objectAt(value, 'a golden prediction');
  const probabilities = Object.entries(prediction.probabilities ?? {});
  const stored = prediction.probabilities ? objectAt(expected['probabilities'], 'golden probabilities') : {};
  return (
    expected['prediction'] === prediction.prediction &&
    expected['lower'] === prediction.lower &&
    expected['upper'] === prediction.upper &&
    isSameList(prediction.likelyClasses, expected['likelyClasses']) &&
    Object.keys(stored).length === probabilities.length &&
    probabilities.every(([name, probability]) => Object.hasOwn(stored, name) && stored[name] === probability)
  );
}

function isSameList(list: readonly string[] | undefined, value: unknown): boolean {
  if (list === undefined) return value === undefined;
  return (
    Array.isArray(value) && value.length === list.length && list.every((name, index) => value[index] === name)
  );
}
