// Calls that work, of the operators that few random arguments fit. For programs.mjs.
import { layerCalls } from './layer-calls.mjs';
import { tensorCalls } from './tensor-calls.mjs';

/** All of them, of sizes that `random` draws. */
export const callsOf = (random) => [...layerCalls(random), ...tensorCalls(random)];

/** One of them, { op, args }, whose tensors the maker of programs.mjs adds. */
export function workingCall(maker) {
  const [op, described] = maker.random.pick(callsOf(maker.random));
  const made = (given) => {
    if (Array.isArray(given)) return given.map(made);
    return typeof given === 'object' && given !== null && 'shape' in given ? maker.tensor(given) : given;
  };
  const args = Object.entries(described).map(([name, given]) => [name, made(given)]);
  return { op: `aten::${op}`, args: Object.fromEntries(args) };
}
