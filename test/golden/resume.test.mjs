// Checkpoints across the languages: PyTorch resumes one of ours and we one of PyTorch's, and both end in the
// bits of a run that was never interrupted.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState } from 'torch-incremental';
import { needs, runPython, temporaryFolder } from '../support.mjs';
import { given, lossesOf, options, recorded, stopped, trainedInPython, written } from '../unit/resume-support.mjs';

describe('a training checkpoint', () => {
  const at = temporaryFolder();
  let init;
  let whole;
  before(async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    init = await written(at);
    whole = await recorded(init, options);
  });

  const python = (...run) => trainedInPython(at, ...run);
  const positionOf = async (name) => {
    const { metadata } = await loadState(at(name), { key: 'model' });
    return metadata.get('epoch') * 5 + metadata.get('step');
  };

  for (const stop of [2, 5, 8]) {
    it(`of ours, written ${stop === 5 ? 'after' : 'in'} an epoch, at step ${stop}, is loaded with weights_only and resumed by PyTorch`, async () => {
      const kept = { ...options, checkpoint: { path: at('ours.ckpt') } };
      if (stop === 5) await recorded(init, { ...kept, epochs: 1 });
      else await stopped(init, kept, stop);
      const done = await positionOf('ours.ckpt');
      assert.ok(done >= stop && done < 15, `stopped at step ${done}`);
      assert.deepEqual(python('ours.ckpt', 15, 'end.ckpt'), lossesOf(whole).slice(done));
      assert.ok(whole.state.equals(await loadState(at('end.ckpt'), { key: 'model' })), 'the weights differ');
      // And back: the momentum that Python ends with is the one that we would have ended with.
      await recorded(init, { ...options, checkpoint: { path: at('whole.ckpt') } });
      const [theirs, ours] = [at('end.ckpt'), at('whole.ckpt')].map((resume) =>
        recorded('', { ...options, epochs: 4, resume }),
      );
      assert.ok((await theirs).state.equals((await ours).state), 'the momentum or the generators differ');
    });
  }

  for (const [stop, flags] of [
    [3, []],
    [5, ['--long-keys']],
    [9, []],
  ]) {
    it(`of PyTorch, written at step ${stop}${flags.map((flag) => ` with ${flag}`)}, is resumed`, async () => {
      const losses = python('init.pth', stop, 'theirs.ckpt', ...flags);
      assert.deepEqual(losses, lossesOf(whole).slice(0, stop));
      // The file has no options: learning rate, momentum and weight decay are its optimizer's.
      const resumed = await recorded('', { ...given, epochs: 3, batchSize: 16, resume: at('theirs.ckpt') });
      assert.deepEqual(lossesOf(resumed), lossesOf(whole).slice(stop));
      assert.ok(resumed.state.equals(whole.state), 'the weights differ');
    });
  }

  it('of PyTorch that holds nothing but a model is begun with from the seed', async () => {
    fs.writeFileSync(
      at('bare.py'),
      `import sys, torch; torch.save({'state_dict': torch.load(sys.argv[1], weights_only=True)}, sys.argv[2])`,
    );
    runPython(at('bare.py'), [at('init.pth'), at('bare.pth')]);
    const begun = await recorded('', { ...options, resume: at('bare.pth') });
    assert.deepEqual(begun.losses, whole.losses);
    assert.ok(begun.state.equals(whole.state));
  });

  it('of PyTorch whose optimizer would continue differently here is refused with the reason', async () => {
    const script = `
import sys, torch
run = torch.load(sys.argv[1], weights_only=True)
model = torch.nn.Linear(2, 2)
def save(name, optimizer):
    torch.save({**run, 'optimizer': optimizer.state_dict()}, sys.argv[2] + name)
save('adam', torch.optim.Adam(model.parameters()))
save('groups', torch.optim.SGD([{'params': [model.weight]}, {'params': [model.bias]}]))
save('other', torch.optim.SGD(model.parameters()))
torch.save({**run, 'random': run['random']['state']}, sys.argv[2] + 'position')
run['random']['state'][8:16] = 255
torch.save(run, sys.argv[2] + 'random')
`;
    fs.writeFileSync(at('odd.py'), script);
    await stopped(init, { ...options, checkpoint: { path: at('ours.ckpt') } }, 7);
    runPython(at('odd.py'), [at('ours.ckpt'), at('odd-')]);
    for (const [name, code, reason] of [
      ['adam', 'ERR_INVALID_OPTION', /was begun with the optimizer adam\(\), whose state sgd\(\) cannot continue/],
      ['groups', 'ERR_STATE_MISMATCH', /2 parameter groups, and does not say/],
      ['other', 'ERR_STATE_MISMATCH', /2 parameters, but .* has 6/],
      ['position', 'ERR_STATE_FORMAT', /'epoch', as it was before the current epoch/],
      ['random', 'ERR_STATE_FORMAT', /torch\.get_rng_state\(\)/],
    ]) {
      await assert.rejects(recorded('', { ...options, resume: at(`odd-${name}`) }), (error) => {
        assert.equal(error.code, code, `${name}: ${error.message}`);
        assert.match(error.message, reason);
        return true;
      });
    }
  });
});
