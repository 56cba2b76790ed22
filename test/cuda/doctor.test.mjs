// Doctor on a machine with a GPU: it says that CUDA is used, and its trial comes to the same there as plain JavaScript.
import assert from 'node:assert/strict';
import doctor from '../../dist/doctor/doctor.js';
import { needsCuda } from './support.mjs';

describe('doctor on a GPU', () => {
  before(async function () {
    await needsCuda(this);
  });

  it('says that CUDA is used, and finds the driver, the GPU and their versions', async () => {
    const { report } = await doctor.diagnose({ probe: false });
    assert.deepEqual(report.problems, []);
    const { used, reason, library, driver, libtorchHasCuda } = report.cuda;
    assert.deepEqual([used, library, libtorchHasCuda], [true, true, true], reason);
    assert.match(reason, /^CUDA is used: cuda:0 \(.+\), /);
    assert.ok(driver !== null);
  });

  it('computes and trains on the CPU and on the GPU', async () => {
    const { report } = await doctor.diagnose();
    assert.equal(report.probe.failure, null, JSON.stringify(report.probe.failure));
    const stages = report.probe.stages.filter(({ on }) => on === 'cuda:0').map(({ stage }) => stage);
    assert.deepEqual(stages, ['product', 'convolution', 'step', 'file']);
  });
});
