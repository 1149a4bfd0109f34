// Prediction sets: the classes that hold the truth in so many of 100 cases, one where the model is sure and several
// where it is not (conformal prediction; least ambiguous sets of Sadinle, Lei & Wasserman, JASA 2019). Fitted in
// uncertainty/conformal.ts.

export interface PredictionSets {
  /** Share of truths that the set is meant to hold, such as 0.9. */
  coverage: number;
  /** A class belongs to the set from this probability on. */
  leastProbability: number;
}

/** Indices of the classes in the set of one row, likeliest first; never none. */
export function setOf({ leastProbability }: PredictionSets, probabilities: Float64Array): number[] {
  let likeliest = 0;
  const members: number[] = [];
  for (let index = 0; index < probabilities.length; index++) {
    if (probabilities[index]! > probabilities[likeliest]!) likeliest = index;
    if (probabilities[index]! >= leastProbability) members.push(index);
  }
  if (members.length === 0) return [likeliest];
  return members.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
}
