// An online learner against the same loop in PyTorch: every loss and every bit of the weights.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { adamW, createState, ema, loadState, net, OnlineLearner, saveState } from 'torch-incremental';
import { madeUpImages, needs, root, runPython, temporaryFolder } from '../support.mjs';

describe('an online learner', function () {
  this.timeout(60_000);
  const at = temporaryFolder();
  const count = 150;
  const { inputs, labels } = madeUpImages(count, 8);

  for (const { batchSize, seed, clip, live, adam, decay } of [
    { batchSize: 16, seed: 3 },
    { batchSize: 1, seed: 2 ** 33 + 5 },
    { batchSize: 64, seed: 4, clip: 0.5 },
    { batchSize: 16, seed: 5, live: true },
    { batchSize: 16, seed: 6, live: true, adam: true, decay: 0.9 },
    { batchSize: 16, seed: 7, adam: true, decay: 0.9 },
  ]) {
    const what = [
      ...(clip ? [`gradients clipped at ${clip}`] : []),
      ...(live ? ['scored by the weights of the moment'] : []),
      ...(adam ? ['with AdamW, two groups and an average'] : []),
    ];
    const name = [`learns as PyTorch does in batches of ${batchSize}`, ...what, 'to the bit'].join(', ');
    it(name, async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      const samples = batchSize === 1 ? 30 : count;
      fs.writeFileSync(at('images.u8'), inputs.subarray(0, samples * 3072));
      fs.writeFileSync(at('labels.u8'), Uint8Array.from(labels.subarray(0, samples)));
      await saveState(await createState(net(), { seed: 1 }), at('init.pth'));
      const files = ['images', 'labels'].flatMap((name) => [`--${name}`, at(`${name}.u8`)]);
      const flags = [
        ...['--batch-size', batchSize, '--seed', seed, ...(clip ? ['--clip', clip] : [])].map(String),
        ...[...(live ? ['--live'] : []), ...(adam ? ['--adamw', '--ema', String(decay)] : [])],
      ];
      const script = path.join(root, 'test/golden/online.py');
      const printed = runPython(script, [...files, '--init', at('init.pth'), '--out', at('out.pth'), ...flags]);

      const learner = await OnlineLearner.open({
        ...{ dir: at(name), checkpoint: at('init.pth'), batchSize, seed, maxDelayMs: 0 },
        ...{ threads: 2, gate: { every: Math.ceil(samples / batchSize) } },
        ...(clip && { maxGradientNorm: clip }),
        score: live ? 'live' : 'served',
        ...(adam && {
          optimizer: adamW({ learningRate: 0.002 }),
          parameterGroups: [{ parameters: 'fc', learningRate: 0.01, weightDecay: 0.1 }],
          average: ema({ decay }),
        }),
      });
      const losses = [];
      let correct = 0;
      for (let first = 0; first < samples; first += batchSize) {
        const end = Math.min(first + batchSize, samples);
        const result = await learner.learn({
          inputs: inputs.subarray(first * 3072, end * 3072),
          labels: labels.subarray(first, end),
        });
        losses.push(result.loss);
        correct += result.prequential.correct;
      }
      assert.deepEqual([...losses, correct], printed.trim().split('\n').map(Number));
      assert.equal(learner.metrics().version, 1);
      await learner.save(at('ours.pth'));
      await learner.close();
      const [ours, theirs] = await Promise.all(['ours.pth', 'out.pth'].map((name) => loadState(at(name))));
      assert.ok(ours.equals(theirs), 'the weights differ');
    });
  }

  it('has snapshots that Python loads: the weights, the optimizer, the replay buffer', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const learner = await OnlineLearner.open({
      ...{
        dir: at('snapshot'),
        checkpoint: await createState(net(), { seed: 1 }),
        batchSize: 10,
        maxDelayMs: 0,
        seed: 1,
      },
      ...{ replay: { capacity: 25, perUpdate: 5 }, gate: { every: 3 } },
    });
    await learner.learn({ inputs: inputs.subarray(0, 30 * 3072), labels: labels.subarray(0, 30) });
    await learner.save(at('served.pth'));
    await learner.close();
    const [snapshot] = fs
      .readdirSync(at('snapshot'))
      .filter((name) => name.endsWith('.pth'))
      .slice(-1);
    const script = `
import json, sys, torch
saved = torch.load(sys.argv[1], weights_only=True)
served = torch.load(sys.argv[2], weights_only=True)
parameters = [torch.nn.Parameter(tensor) for tensor in saved["model"].values()]
optimizer = torch.optim.SGD(parameters, lr=1, momentum=0.1)
optimizer.load_state_dict(saved["optimizer"])
torch.set_rng_state(saved["random"])
replay = saved["replay"]
print(json.dumps({
    "equal": all(torch.equal(saved["model"][name], served[name]) for name in served),
    "lr": optimizer.param_groups[0]["lr"],
    "momentum": len(optimizer.state_dict()["state"]),
    "replay": [list(replay["inputs"].shape), str(replay["inputs"].dtype), len(replay["labels"])],
    "learned": json.loads(saved["learner"])["core"]["learned"],
}))
`;
    const report = JSON.parse(runPython('-c', [script, path.join(at('snapshot'), snapshot), at('served.pth')]));
    const replay = [[25, 3, 32, 32], 'torch.uint8', 25];
    assert.deepEqual(report, { equal: true, lr: 0.001, momentum: 6, replay, learned: 30 });
  });
});
