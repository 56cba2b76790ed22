// How many predictions have the target among the k largest outputs: [predictions, hits]. Of equal outputs the one of the later class
// counts as larger, as in scikit-learn's top_k_accuracy_score.
import type { SumsKind } from './sums';

export interface TopHits {
  readonly kind: 'topHits';
  readonly k: number;
}

/** An entry is 1 for a hit, otherwise 0. */
export const topHitsKind: SumsKind<TopHits> = {
  entry({ outputs, target }, { k }) {
    const own = outputs[target as number]!;
    let before = 0;
    for (let i = 0; i < outputs.length; i++) {
      if (outputs[i]! > own || (outputs[i] === own && i > (target as number))) before++;
    }
    return [Number(before < k)];
  },
  start: () => [0, 0],
  add(state, [hit]) {
    state[0]!++;
    state[1]! += hit!;
  },
};
