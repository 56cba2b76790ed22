// Edited states beside PyTorch: what is saved of them is what torch.save makes of the same edits in Python, the mean is that of the recipe in
// docs/api.md to the bit, and sharded checkpoints of PyTorch and of safetensors are the states that they were.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { averageStates, loadState, merge, State, saveState } from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/state_editing.py');

describe('edited states beside PyTorch', () => {
  const at = temporaryFolder();
  let net;
  let answers;

  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    runPython(script, ['make', at()]);
    fs.mkdirSync(at('made'));
    net = await loadState(at('net.pth'));
    const states = await Promise.all([0, 1, 2].map((number) => loadState(at(`state-${number}.pth`))));
    await saveState(await averageStates(states), at('average.pth'));
    const float = (shape, ...values) => ({ dtype: 'float32', shape, data: Float32Array.from(values) });
    const b = { dtype: 'int64', shape: [], data: BigInt64Array.of(5n) };
    await saveState(State.from({ a: float([2], 1, 2), b, c: float([0, 3]) }), at('made/dict.pth'));
    await saveState(
      net.renamed((name) => `module.${name}`),
      at('wrapped.pth'),
    );
    await saveState(
      net.select('fc').renamed((name) => name.slice(3)),
      at('head.pth'),
    );
    await saveState(merge(net.without('fc'), net.select('fc')), at('made/net.pth'));
    await saveState(await loadState(at('bin')), at('joined.pth'));
    answers = JSON.parse(runPython(script, ['check', at()]));
  });

  for (const [what, sentence] of Object.entries({
    average: 'the mean of states of all dtypes is that of the recipe',
    dict: 'State.from() is saved with the bytes of torch.save() of a dict',
    wrapped: 'renamed() gives a state dict that DataParallel takes, with its versions of modules',
    'wrapped order': 'renamed() gives these versions in the order of DataParallel',
    head: 'select() and renamed() give the state dict of a layer',
    merged: 'merge() of a split state is saved with the bytes of the whole one',
    joined: 'a sharded checkpoint of torch.save() is the state that it was',
    tied: 'tensors that are tied in a file of a sharded checkpoint stay tied',
  })) {
    it(sentence, () => assert.equal(answers[what], true));
  }

  it('a sharded checkpoint of safetensors has the tensors that it had', async () => {
    const loaded = await loadState(at('safe'));
    assert.deepEqual([...loaded.names].sort(), [...net.names].sort());
    for (const name of net.names) assert.deepEqual(loaded.tensor(name), net.tensor(name));
    assert.equal(loaded.metadata.get('format'), 'pt');
  });
});
