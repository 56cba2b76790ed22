// Random predictions, in which metrics are compared with those of scikit-learn and of River.

/** A generator of numbers from 0 to 1. */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const counts = { class: [2, 3, 4, 7, 12], classes: [1, 2, 5], values: [1, 2, 4] };

/**
 * Case number `i`: `{ kind, outputs, targets }`, a row each for 2 to 80 samples. A third has many equal scores, a third degenerate
 * targets: one class alone, a class that never occurs, constant numbers.
 */
export function caseOf(i, { samples = 80 } = {}) {
  const draw = uniform(i * 7919 + 1);
  for (let k = 0; k < 5; k++) draw();
  const below = (n) => Math.floor(draw() * n);
  const kind = ['class', 'class', 'classes', 'values'][i % 4];
  const size = counts[kind][below(counts[kind].length)];
  const count = 2 + below(samples - 1);
  const hasTies = i % 3 === 1;
  const isDegenerate = i % 3 === 2;
  const logit = () => Math.fround(hasTies ? Math.round(6 * draw() - 3) / 2 : 8 * (draw() - 0.5));
  const row = () => Array.from({ length: size }, logit);
  // Equal rows, not only equal sums of other numbers: these differ in their last bit by the order of additions.
  const pool = Array.from({ length: 6 }, row);
  const outputs = Array.from({ length: count }, () => (hasTies ? pool[below(pool.length)] : row()));
  const constant = Math.fround(draw() * 10);
  const only = below(size);
  const oneTarget = {
    class: (output) => {
      if (isDegenerate) return i % 2 === 0 ? only : below(Math.max(1, size - 1));
      return draw() < 0.5 ? below(size) : output.indexOf(Math.max(...output));
    },
    classes: () =>
      Array.from({ length: size }, (_, k) => Number(isDegenerate && k === only ? i % 8 > 3 : draw() < 0.4)),
    values: (output) => output.map((x) => (isDegenerate ? constant : Math.fround(x + draw() * 3 - 1))),
  }[kind];
  return { kind, outputs, targets: outputs.map(oneTarget) };
}
