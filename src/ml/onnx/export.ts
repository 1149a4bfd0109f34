// A whole model as an ONNX file, for runtimes that know nothing of Pilvi: from the columns as they are, by name, to the
// decision. Foreign ONNX files are read by read.ts and foreign.ts. All arithmetic is in doubles, so that answers agree with
// the predictor's but for the last digits (exp, log and the order of sums are the runtime's own).
//
// In: numbers as double (NaN is missing; 1 and 0 for true and false; milliseconds since 1970 for dates), categories as
// texts (empty is missing), one value a row, shape rows x 1; columns that the model makes nothing of are not asked for.
// Out: `label` and `probabilities` of classes, `value` (with `lower` and `upper`) of a regression, `score` of a ranking.
// Not: texts, whose words a model knows by their hashes alone; the sets of likely classes.
import { assert } from '../../base/assert.ts';
import { Problem } from '../../base/problems.ts';
import { hasClasses } from '../frame/schema.ts';
import type { ModelContent, ModelManifest } from '../model/manifest.ts';
import { outputCountOf, type RowModel, type ScoreModel } from '../model/row-model.ts';
import { average, calibrated, decidedLabels, intervalEnds, linkNode } from './answers.ts';
import { featuresFor, type Features } from './features.ts';
import { Graph } from './graph.ts';
import { neighbourAnswers } from './neighbours.ts';
import { networkAnswers } from './network.ts';
import { linearScores, naiveBayesScores } from './sums.ts';
import { treeScores } from './trees.ts';

/** What a message of Protocol Buffers can be. */
const largestBytes = 2 ** 31 - 1;

/** The bytes of an ONNX file. @throws Problem `export-unsupported` naming the column that ONNX has no words for */
export function exportOnnx({ manifest, members }: Pick<ModelContent, 'manifest' | 'members'>): Uint8Array {
  const graph = new Graph(manifest.schema.map(({ name }) => name));
  const features = featuresFor(graph, manifest.encoding, manifest.schema);
  const outputCount = outputCountOf(manifest.task, manifest.classes.length);
  const answers = members.flatMap(({ weight, models }) =>
    models.map((model) => ({
      value: answerOf(graph, features, model, outputCount),
      weight: weight / models.length,
    })),
  );
  addOutputs(graph, manifest, { outputCount, answer: forEveryRow(graph, features, average(graph, answers)) });
  const bytes = graph.encode({
    producerVersion: manifest.engineVersion,
    description: `Predicts "${manifest.target}" (${manifest.task}). Inputs are columns by name, rows x 1.`,
    properties: {
      'pilvi.task': manifest.task,
      'pilvi.target': manifest.target,
      // A date goes in as a number: whoever reads the file can tell it from one.
      'pilvi.columns': JSON.stringify(
        Object.fromEntries(manifest.schema.map(({ name, kind }) => [name, kind])),
      ),
      ...(hasClasses(manifest.task) && { 'pilvi.classes': JSON.stringify(manifest.classes) }),
    },
  });
  if (bytes.length <= largestBytes) return bytes;
  throw new Problem(
    'export-unsupported',
    'As ONNX the model would be larger than 2 GiB, which is more than such a file can be. Train with fewer trees.',
  );
}

/** The answers of one model (shape rows x answers, or 1 x answers where it looks at no column). */
function answerOf(graph: Graph, features: Features, model: RowModel, outputCount: number): string {
  switch (model.kind) {
    case 'constant':
      assert(model.values.length === outputCount, 'a constant for each answer');
      return graph.doubles(model.values);
    case 'network':
      return networkAnswers(graph, features, model);
    case 'neighbours':
      return neighbourAnswers(graph, features, model);
    case 'trees':
    case 'linear':
    case 'naive-bayes':
      return linkNode(graph, model.link, scoresOf(graph, features, model), model.base.length);
    default:
      return model satisfies never;
  }
}

function scoresOf(graph: Graph, features: Features, model: ScoreModel): string {
  switch (model.kind) {
    case 'trees':
      return treeScores(graph, features, model);
    case 'linear':
      return linearScores(graph, features, model);
    case 'naive-bayes':
      return naiveBayesScores(graph, features, model);
    default:
      return model satisfies never;
  }
}

/** A model that looks at no column has one answer, which is repeated for as many rows as come in. */
function forEveryRow(graph: Graph, features: Features, answer: string): string {
  if (graph.inputCount > 0) return answer;
  return graph.node('Expand', [answer, graph.node('Shape', [features.anyInput()])]);
}

function addOutputs(
  graph: Graph,
  manifest: ModelManifest,
  { answer, outputCount }: { answer: string; outputCount: number },
): void {
  const value = (name: string, node: string, description: string): void =>
    graph.output(name, node, { type: 'double', width: 1, description });
  if (hasClasses(manifest.task)) {
    const probabilities = calibrated(graph, manifest.calibration, answer, outputCount);
    const label = decidedLabels(graph, manifest, probabilities);
    graph.output('label', label, { type: 'string', width: undefined, description: 'the decided class' });
    graph.output('probabilities', probabilities, {
      type: 'double',
      width: outputCount,
      description: `of ${manifest.classes.join(', ')}`,
    });
    return;
  }
  if (manifest.task === 'ranking')
    return value('score', answer, 'by which the rows of a group are to be ordered');
  value('value', answer, 'the predicted number');
  if (!manifest.intervals) return;
  const ends = intervalEnds(graph, manifest.intervals, answer);
  const share = Math.round(manifest.intervals.coverage * 100);
  value('lower', ends.lower, `the truth lies between lower and upper in ${share} of 100 cases`);
  value('upper', ends.upper, `the truth lies between lower and upper in ${share} of 100 cases`);
}
