// `torch-incremental online` refuses nested arrays of other shapes.
import assert from 'node:assert/strict';
import { createState, net, saveState } from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { begin, endLeftovers } from './online-support.mjs';

describe('command line: online, shapes of samples', () => {
  const at = temporaryFolder();
  const images = madeUpImages(1);

  before(async () => {
    await saveState(await createState(net(), { seed: 0 }), at('net.pth'));
  });
  afterEach(endLeftovers);

  it('refuses rows of pixels and ragged arrays, which have as many numbers as a sample and another shape', async () => {
    const values = [...images.inputs.subarray(0, 3072)];
    const pixels = Array.from({ length: 32 }, (_, y) =>
      Array.from({ length: 32 }, (_, x) => [0, 1, 2].map((c) => values[(c * 32 + y) * 32 + x])),
    );
    const ragged = [values.slice(0, 5), [[values.slice(5)]]];
    const { code, answers } = await begin(['net.pth', '--dir', 'shapes', '--threads', '1'], { cwd: at() }).finish(
      { input: pixels },
      { input: ragged, label: 1 },
      { input: values },
    );
    assert.equal(code, 0);
    assert.deepEqual(
      answers.map(({ error }) => error?.code),
      ['ERR_SHAPE', 'ERR_SHAPE', undefined],
    );
  });
});
