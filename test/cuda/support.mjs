// Shared by the tests on a GPU: they are skipped, loudly, on machines without one. scripts/check-cuda.sh runs them, and
// sets TORCH_INCREMENTAL_CUDA so that a GPU that is not found is a failure and no skip.
import { native } from '../../dist/native/native.js';

let found;

/** Skips the current test unless there is a GPU. Call in before(). */
export async function needsCuda(suite) {
  found ??= native().info().cuda ? await native().findDevices(0) : { devices: [], problem: 'libtorch has no CUDA' };
  if (found.problem === '') return found;
  if (process.env.TORCH_INCREMENTAL_CUDA) throw new Error(`There is no GPU to test with: ${found.problem}`);
  console.warn(`      tests on a GPU are skipped: ${found.problem}`);
  return suite.skip();
}

/** As closely as convolutions in TF32, with factors rounded to 10 bits, let losses agree. */
export const tf32Close = (a, b) => Math.abs(a - b) <= 5e-3 * Math.max(Math.abs(a), 0.1);
