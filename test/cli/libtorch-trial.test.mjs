// Tests interrupts while a command waits for a libtorch that is tried in a child process.
import assert from 'node:assert/strict';
import { createState, net, saveState } from 'torch-incremental';
import { temporaryFolder, writeCifar10 } from '../support.mjs';
import { loadingLibtorch } from '../unit/libtorch-loading.mjs';
import { run } from './run.mjs';

describe('command line: a libtorch that is tried', () => {
  const loading = loadingLibtorch();
  const at = temporaryFolder();

  before(async () => {
    writeCifar10(at('data'), { train: 5, test: 5 });
    await saveState(await createState(net(), { seed: 0 }), at('net.pth'));
  });

  it('is not blamed for a Ctrl-C of the terminal, which ends the command as any other does', async function () {
    loading.withWaitingLibrary(this);
    const env = { LIBTORCH: loading.fake, XDG_CACHE_HOME: loading.folder, TORCH_INCREMENTAL_LIBTORCH: undefined };
    const evaluate = (options) => run(['evaluate', at('net.pth'), '--data', at('data'), '--json'], { env, ...options });
    const meanwhile = async (child) => {
      await loading.waitingProcess();
      process.kill(-child.pid, 'SIGINT');
      loading.goOn();
    };
    const { code, stdout, stderr } = await evaluate({ detached: true, meanwhile });
    assert.deepEqual([code, stdout], [130, ''], stderr);
    assert.match(stderr, /^SIGINT: stopping after the current step.*\nInterrupted; nothing was written\n$/);
    const again = await evaluate();
    assert.equal(again.code, 0, again.stderr);
  });
});
