// Sums of trees as one TreeEnsemble node of doubles, so that thresholds are compared as they were learned. Questions
// about sets of categories become membership nodes; the smaller side of each is listed.
import { categoricalFlag, childOf, missingLeftFlag, type TreesModel } from '../model/trees.ts';
import type { Features } from './features.ts';
import type { Graph } from './graph.ts';

const atMost = 0;
const isMember = 6;

/** The scores of the trees, base included (shape rows x scores, or 1 x scores where no tree asks anything). */
export function treeScores(graph: Graph, features: Features, model: TreesModel): string {
  const rawCount = model.base.length;
  const base = model.base.slice();
  const asked = [...new Set(model.feature)].toSorted((one, other) => one - other);
  const nodes = listNodes(model, base, new Map(asked.map((feature, place) => [feature, place])), features);
  const start = graph.doubles(base);
  if (nodes.roots.length === 0) return start;
  const sums = graph.node('TreeEnsemble', [features.matrix(asked)], {
    n_targets: rawCount,
    aggregate_function: 1,
    post_transform: 0,
    tree_roots: Int32Array.from(nodes.roots),
    nodes_featureids: Int32Array.from(nodes.features),
    nodes_splits: { values: Float64Array.from(nodes.splits), shape: [nodes.splits.length] },
    nodes_modes: { values: Uint8Array.from(nodes.modes), shape: [nodes.modes.length] },
    nodes_missing_value_tracks_true: Int32Array.from(nodes.missingTracksTrue),
    nodes_truenodeids: Int32Array.from(nodes.whenTrue.ids),
    nodes_trueleafs: Int32Array.from(nodes.whenTrue.areLeaves),
    nodes_falsenodeids: Int32Array.from(nodes.whenFalse.ids),
    nodes_falseleafs: Int32Array.from(nodes.whenFalse.areLeaves),
    ...(nodes.members.length > 0 && {
      membership_values: { values: Float64Array.from(nodes.members), shape: [nodes.members.length] },
    }),
    leaf_targetids: Int32Array.from(nodes.leafTargets),
    leaf_weights: { values: Float64Array.from(nodes.leafWeights), shape: [nodes.leafWeights.length] },
  });
  return graph.node('Add', [sums, start]);
}

interface Children {
  ids: number[];
  /** 1 where the id is that of a leaf. */
  areLeaves: number[];
}

interface TreeNodes {
  roots: number[];
  features: number[];
  splits: number[];
  modes: number[];
  missingTracksTrue: number[];
  whenTrue: Children;
  whenFalse: Children;
  /** Of the membership nodes, in their order: the codes, ended by NaN. */
  members: number[];
  leafTargets: number[];
  leafWeights: number[];
}

/** The trees' nodes, each before its children. Trees of one leaf, which ONNX does not know, are added to `base`. */
function listNodes(
  model: TreesModel,
  base: Float64Array,
  places: ReadonlyMap<number, number>,
  features: Features,
): TreeNodes {
  const children = (): Children => ({ ids: [], areLeaves: [] });
  const listed: TreeNodes = {
    roots: [],
    features: [],
    splits: [],
    modes: [],
    missingTracksTrue: [],
    whenTrue: children(),
    whenFalse: children(),
    members: [],
    leafTargets: [],
    leafWeights: [],
  };
  model.roots.forEach((root, tree) => {
    const target = tree % base.length;
    if (root < 0) base[target]! += model.leafValues[~root]!;
    else listTree(model, root, { target, places, features }, listed);
  });
  return listed;
}

function listTree(
  model: TreesModel,
  root: number,
  { target, places, features }: { target: number; places: ReadonlyMap<number, number>; features: Features },
  listed: TreeNodes,
): void {
  listed.roots.push(listed.features.length);
  // Where the number of a node is to be written once it has one.
  const open: { node: number; parent?: { side: Children; id: number } }[] = [{ node: root }];
  const follow = (side: Children, child: number): void => {
    side.areLeaves.push(child < 0 ? 1 : 0);
    side.ids.push(child < 0 ? listed.leafWeights.length : -1);
    if (child < 0) {
      listed.leafWeights.push(model.leafValues[~child]!);
      listed.leafTargets.push(target);
    } else open.push({ node: child, parent: { side, id: side.ids.length - 1 } });
  };
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, parent } = next;
    if (parent) parent.side.ids[parent.id] = listed.features.length;
    const feature = model.feature[node]!;
    listed.features.push(places.get(feature)!);
    const question = questionOf(model, node, features);
    listed.modes.push(question.mode);
    listed.splits.push(question.split);
    listed.missingTracksTrue.push(question.missingTracksTrue);
    listed.members.push(...question.members);
    follow(listed.whenTrue, question.isSwapped ? model.right[node]! : model.left[node]!);
    follow(listed.whenFalse, question.isSwapped ? model.left[node]! : model.right[node]!);
  }
}

interface Question {
  mode: number;
  split: number;
  missingTracksTrue: number;
  members: number[];
  /** Whether a yes means right. */
  isSwapped: boolean;
}

function questionOf(model: TreesModel, node: number, features: Features): Question {
  const flags = model.flags[node]!;
  if ((flags & categoricalFlag) === 0)
    return {
      mode: atMost,
      split: model.threshold[node]!,
      missingTracksTrue: (flags & missingLeftFlag) === 0 ? 0 : 1,
      members: [],
      isSwapped: false,
    };
  const missingCode = features.missingCode(model.feature[node]!);
  const [left, right]: [number[], number[]] = [[], []];
  for (let code = 0; code <= missingCode; code++) {
    const isLeft = childOf(model, node, code === missingCode ? NaN : code) === model.left[node]!;
    (isLeft ? left : right).push(code);
  }
  const isSwapped = right.length < left.length;
  const set = isSwapped ? right : left;
  // Codes begin at 0: nothing is in the empty set, which runtimes may not expect.
  if (set.length === 0) return { mode: atMost, split: -1, missingTracksTrue: 0, members: [], isSwapped };
  return { mode: isMember, split: 0, missingTracksTrue: 0, members: [...set, NaN], isSwapped };
}
