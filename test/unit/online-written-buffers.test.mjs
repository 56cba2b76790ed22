// Programs may write into their buffers while they evaluate. Of a learner only what it learns leaves a trace there.
import assert from 'node:assert/strict';
import { createState, loadState, node, value } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { open } from './journal-support.mjs';

describe('a learner of a model that writes into a buffer also in evaluation', () => {
  const at = temporaryFolder();
  const tensor = (name, shape) => ({ name, dtype: 'float32', shape });
  const [parameters, buffers] = [[tensor('w', [2, 3]), tensor('b', [2])], [tensor('sum', [3])]];
  const counting = {
    name: 'Sums',
    program: {
      ...{ inputs: [{ name: 'x', dtype: 'float32', shape: [3] }], parameters, buffers, outputs: ['output'] },
      nodes: [
        node('sum', 'dim_IntList', { self: value('x'), dim: [0] }, 'total'),
        node('add_', 'Tensor', { self: value('sum'), other: value('total') }, 'summed'),
        node('mul', 'Tensor', { self: value('summed'), other: 0.001 }, 'small'),
        node('sub', 'Tensor', { self: value('x'), other: value('small') }, 'centred'),
        node('linear', '', { input: value('centred'), weight: value('w'), bias: value('b') }, 'output'),
      ],
    },
    tensors: [
      ...parameters.map((one) => ({ ...one, init: { kind: 'uniform', bound: 0.1 } })),
      ...buffers.map((one) => ({ ...one, init: { kind: 'constant', value: 0 } })),
    ],
    modules: [['', 1]],
  };

  for (const score of ['live', 'served']) {
    it(`writes it when it learns, and not when the ${score} weights score or a sample is judged`, async () => {
      const checkpoint = await createState(counting, { seed: 1 });
      const begin = (name) => open(at(`${score} ${name}`), { model: counting, checkpoint, score });
      const ones = { inputs: Float32Array.of(1, 1, 1), labels: [1] };
      const whole = await begin('whole');
      for (let i = 0; i < 10; i++) await whole.learn(ones);
      const { reasons } = await whole.learn({ inputs: Float32Array.of(3e38, 3e38, 3e38), labels: [0] });
      assert.equal(reasons[0].code, 'output');
      assert.deepEqual((await whole.learn(ones)).reasons, []);
      await whole.save(at('saved.pth'));
      assert.deepEqual([...(await loadState(at('saved.pth'))).tensor('sum').data], [11, 11, 11]);
      let parts = await begin('parts');
      for (let i = 0; i < 10; i++) {
        await parts.learn(ones);
        await parts.close();
        parts = await begin('parts');
      }
      await parts.learn({ inputs: Float32Array.of(3e38, 3e38, 3e38), labels: [0] });
      await parts.learn(ones);
      assert.equal(await parts.fingerprint(), await whole.fingerprint());
      await Promise.all([whole.close(), parts.close()]);
    });
  }
});
