// The kernels of src/kernels against ATen in float64, by a program of their own: JavaScript cannot call them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../support.mjs';

// ATEN_CPU_CAPABILITY's values, and what src/kernels/simd_level.h makes of them.
const levels = { default: 'baseline', avx2: 'avx2', avx512: 'avx512' };
const build = path.join(root, 'build');
let program;

function run(capability, threads) {
  const env = { ...process.env, ATEN_CPU_CAPABILITY: capability };
  if (capability === undefined) delete env.ATEN_CPU_CAPABILITY;
  return JSON.parse(execFileSync(program, threads, { env, encoding: 'utf8' }));
}

/** Relative to a result's largest value. Three times the worst seen: 7e-7 and, where terms cancel, 2.8e-6. */
function assertExact({ conv3x3, skinny_linear, skinny_linear_bf16 }) {
  for (const [seen, bar] of [
    [conv3x3, 2.5e-6],
    [skinny_linear, 1e-5],
    [skinny_linear_bf16, 1e-5],
  ]) {
    assert.ok(seen.cases > 150, `${seen.cases} cases`);
    assert.equal(seen.failures, 0, seen.first);
    assert.ok(seen.worst < bar, `${seen.worst}: ${seen.where}`);
  }
}

describe('kernels', function () {
  this.timeout(600_000);

  before(() => {
    const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
    execFileSync('cmake', ['-S', root, '-B', build, '-DTESTS=ON'], quiet);
    execFileSync('cmake', ['--build', build, '--target', 'kernels_test'], quiet);
    program = path.join(build, 'kernels_test');
  });

  for (const [capability, level] of Object.entries(levels)) {
    it(`give ATen's values and gradients, with equal bits twice, compiled for ${level}`, function () {
      const best = execFileSync(program, ['--level'], { encoding: 'utf8' });
      if (Object.values(levels).indexOf(level) > Object.values(levels).indexOf(best)) this.skip();
      const seen = run(capability, ['2']);
      assert.equal(seen.level, level);
      assertExact(seen);
    });
  }

  it("have libtorch's bits for new numbers where they were found to have them", () => {
    for (const threads of ['1', '2', '3']) {
      const { agreement } = run(undefined, [threads]);
      assert.equal(agreement.failures, 0, agreement.first);
      const { shapes, input_gradients, weight_gradients } = agreement;
      console.log(`      on ${threads} threads: ${input_gradients} and ${weight_gradients} of ${shapes} shapes agree`);
    }
  });

  it('give them on one thread and on three', () => {
    for (const threads of ['1', '3']) assertExact(run(undefined, [threads]));
  });
});
