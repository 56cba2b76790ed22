// The weights of TorchScript archives, which live Python writes, are those that torch.jit.load finds there; programs are never run.
import assert from 'node:assert/strict';
import path from 'node:path';
import { loadState, saveState } from 'torch-incremental';
import { needs, root, runPython, temporaryFolder } from '../support.mjs';

const script = path.join(root, 'test/golden/torchscript.py');
const read = ['scripted', 'traced', 'convolutions', 'traced convolutions', 'half'];
const refused = {
  empty: /has no weights of its own/,
  frozen: /has no weights of its own.*torch\.jit\.freeze/,
  quantised: /has no weights of its own.*quantisation packs them/,
  'quantised in part': /keeps quantised weights in a packed form/,
  'own state':
    /__torch__\.Scripted of the TorchScript archive restores its state by code, which is never run; .*torch\.jit\.load/,
};

describe('weights of TorchScript archives', function () {
  this.timeout(120_000);
  const at = temporaryFolder();

  before(function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    runPython(script, ['make', at('')]);
  });

  it('are the state dict of torch.jit.load: names, order, bits and shared storages', async () => {
    for (const name of read) await saveState(await loadState(at(`${name}.pt`)), at(`${name}.saved.pth`));
    const verdicts = JSON.parse(runPython(script, ['check', at('')]));
    assert.deepEqual(verdicts, Object.fromEntries([...read].sort().map((name) => [name, true])));
  });

  it('are read from archives for mobile devices too', async () => {
    for (const name of read) {
      const [mobile, whole] = [await loadState(at(`${name}.ptl`)), await loadState(at(`${name}.pt`))];
      assert.ok(mobile.equals(whole), name);
    }
  });

  for (const [name, message] of Object.entries(refused))
    it(`are refused where they cannot be read: ${name}`, () =>
      assert.rejects(loadState(at(`${name}.pt`)), { code: 'ERR_STATE_FORMAT', message }));
});
