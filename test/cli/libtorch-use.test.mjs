// What `torch-incremental libtorch use` chooses, and what is said where nothing can be chosen.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { temporaryFolder } from '../support.mjs';
import { run } from './run.mjs';

describe('command line: libtorch use', () => {
  const folder = temporaryFolder();
  let cache;
  let env;

  before(function () {
    if (`${process.platform}-${process.arch}` !== 'linux-x64') this.skip();
  });

  beforeEach(() => {
    cache = fs.mkdtempSync(folder('cache-'));
    env = { XDG_CACHE_HOME: cache, TORCH_INCREMENTAL_LIBTORCH: undefined, LIBTORCH: undefined };
  });

  const libtorch = (words, { env: changes = {}, ...options } = {}) =>
    run(['libtorch', ...words], { ...options, env: { ...env, ...changes } });

  it('says what to set where there is no home folder, as the commands beside it do', async () => {
    const cwd = fs.mkdtempSync(folder('current-'));
    const homeless = { HOME: '', XDG_CACHE_HOME: undefined };
    const install = ['install', '--variant', 'cpu', '--yes'];
    for (const words of [['use', 'cpu'], ['use', 'auto'], ['remove', 'cpu'], ['list'], install]) {
      const { code, stdout, stderr } = await libtorch(words, { env: homeless, cwd });
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, /error\[ERR_FILE\]: Neither HOME nor XDG_CACHE_HOME names .*\. Set one of them to/);
    }
    assert.deepEqual(fs.readdirSync(cwd), []);
  });
});
