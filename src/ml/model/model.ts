// The portable model file (.pilvi): write one, open one. Data only: nothing in it is executed. Opening checks every
// checksum, every index, and that the model gives the very same answers as where it was made (golden rows).
import type { JsonObject } from '../../base/json.ts';
import { asProblem, Problem } from '../../base/problems.ts';
import { featuresOf } from '../frame/encoding.ts';
import { listAt, numberAt, objectAt, textAt } from './checks.ts';
import { readContainer, writeContainer, type SectionArray } from './container.ts';
import { invalid, type Trust } from './header.ts';
import type { EnsembleMember, ModelContent } from './manifest.ts';
import { predictorOf, type Prediction, type Predictor } from './predictor.ts';
import { readManifest } from './read-manifest.ts';
import { readPart, writePart, type PartContext } from './read-parts.ts';
import { outputCountOf } from './row-model.ts';

const maximumMembers = 200;
const maximumModels = 200;
const maximumGoldenRows = 32;

/** The bytes of a model file, unsigned; equal content gives equal bytes. @throws Problem `memory-limit` beyond 1 GB */
export async function writeModel(content: ModelContent): Promise<Uint8Array<ArrayBuffer>> {
  const sections = new Map<string, SectionArray>();
  const members = content.members.map((member, index) => ({
    ...member,
    models: member.models.map((model, fold) => writePart(model, `${index}/${fold}`, sections)),
  }));
  const rows = content.goldenRows.slice(0, maximumGoldenRows);
  const golden = { rows, predictions: predictorOf(content).predictRows(rows).predictions };
  return writeContainer({ manifest: content.manifest, members, golden }, sections);
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
  const members = listAt(fields['members'], 'members', maximumMembers, (item, place) =>
    readMember(item, place, context),
  );
  if (members.length === 0) throw invalid('it has no members');
  const golden = objectAt(fields['golden'], 'golden');
  const goldenRows = listAt(golden['rows'], 'golden.rows', maximumGoldenRows, objectAt) as JsonObject[];
  const content = { manifest, members, goldenRows };
  checkGolden(content, golden['predictions']);
  return content;
}

function readMember(value: unknown, place: string, context: PartContext): EnsembleMember {
  const fields = objectAt(value, place);
  const models = listAt(fields['models'], `${place}.models`, maximumModels, (item, at) =>
    readPart(item, at, context),
  );
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
