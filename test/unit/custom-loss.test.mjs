// Losses of one’s own, from operators.
import assert from 'node:assert/strict';
import { customLoss, mseLoss, node, value } from 'torch-incremental';
import { bothReject, layer, n, numbers, option, train } from './losses-support.mjs';

describe('a loss', function () {
  this.timeout(60_000);

  describe('of one’s own', () => {
    const nodes = [
      node('sub', 'Tensor', { self: value('output'), other: value('target') }, 'difference'),
      node('square', '', { self: value('difference') }, 'squares'),
      node('mul', 'Tensor', { self: value('squares'), other: value('weight') }, 'losses'),
    ];
    const own = customLoss({
      nodes,
      targets: [{ kind: 'values', axes: ['samples', 'columns'] }],
      outputs: [{ name: 'output', output: 0, axes: ['samples', 'columns'] }],
      constants: [{ name: 'weight', axes: ['columns'], data: [1, 1, 1] }],
    });
    const targets = { ...numbers(3 * n), shape: [3] };

    it('is trained, and stays the same loss as JSON', async () => {
      const run = await train(layer(3), targets, own);
      const copy = await train(layer(3), targets, JSON.parse(JSON.stringify(own)));
      const squared = await train(layer(3), targets, mseLoss());
      assert.deepEqual(run.losses, copy.losses);
      for (const [i, [, , loss]] of run.losses.entries()) assert.ok(Math.abs(loss - squared.losses[i][2]) < 1e-6);
    });

    it('refuses names, operators and constants that do not fit, by name', async () => {
      assert.throws(
        () => customLoss({ nodes: [node('neg', '', { self: value('outptu') }, 'losses')] }),
        option(/No value named "outptu" before nodes\[0\] \(aten::neg\)/),
      );
      assert.throws(() => customLoss({ nodes: [nodes[0], nodes[0]] }), option(/Two values are named "difference"/));
      const unnamed = [{ kind: 'values', axes: ['columns'] }];
      assert.throws(
        () => customLoss({ nodes, targets: unnamed }),
        option(/'samples' as the first axis for "targets\[0\]\.axes"/),
      );
      assert.throws(() => customLoss({ nodes: [] }), option(/at least one node for "nodes"/));
      assert.throws(() => customLoss({ nodes: [{ op: 'aten::neg' }] }), option(/nodes\[0\]/));
      const foreign = customLoss({
        nodes: [node('as_strided', '', { self: value('output'), size: [3], stride: [1] }, 'losses')],
      });
      await bothReject(layer(3), targets, foreign, option(/aten::as_strided.* is not one that a model may use/));
      const drawn = customLoss({
        nodes: [
          node('clone', '', { self: value('output') }, 'own'),
          node('bernoulli_', 'float', { self: value('own'), p: 0.5 }, 'losses'),
        ],
      });
      await bothReject(layer(3), targets, drawn, option(/draws no random numbers, but customLoss does/));
      const { kind: _, ...options } = own;
      const short = customLoss({ ...options, constants: [{ name: 'weight', axes: ['columns'], data: [1, 1] }] });
      await bothReject(layer(3), targets, short, option(/Expected \[3\] numbers for "weight" of customLoss/));
    });
  });
});
