// Loads a state and saves it again, for the trials: `state-files.mjs <file> <out>`. Prints the seconds of both and the peak
// of memory. libtorch is loaded before.
import { createRequire } from 'node:module';
import { loadState, saveState } from 'torch-incremental';
import { memory } from '../support.mjs';

createRequire(import.meta.url)('../../dist/native/native.js').native();
const [file, out] = process.argv.slice(2);
const seconds = async (work) => {
  const started = performance.now();
  const result = await work();
  return [(performance.now() - started) / 1000, result];
};
const [load, state] = await seconds(() => loadState(file));
const { peak } = memory();
const [save] = await seconds(() => saveState(state, out));
console.log(JSON.stringify({ load, save, peak }));
