// Tests the choices of `torch-incremental libtorch use`, and its errors.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import cacheModule from '../../dist/libtorch/cache.js';
import { root } from '../support.mjs';
import { real } from '../unit/libtorch-loading.mjs';
import { newHome } from './libtorch-home.mjs';
import { run } from './run.mjs';

describe('command line: libtorch use', () => {
  const user = newHome();
  const { folder } = user;

  const libtorch = (words, { env: changes = {}, ...options } = {}) =>
    run(['libtorch', ...words], { ...options, env: { ...user.env, ...changes } });

  it('names the variable to set if there is no home folder, as the other commands do', async () => {
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

  it('names the file of the choice if it is damaged, and uses no other build', async () => {
    const file = cacheModule.choiceFile({ root: user.cache });
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, '{');
    const load = `require(${JSON.stringify(path.join(root, 'dist/libtorch/load.js'))}).loadLibtorch()`;
    const { code, stderr } = await run([load], { script: '-e', env: user.env });
    assert.equal(code, 1);
    assert.ok(stderr.includes(`${file}): should hold the choice, and is damaged\n`), stderr);
    assert.match(stderr, /\n {2}- npx torch-incremental libtorch use auto, to look in the usual places\n/);
    const { problems } = JSON.parse((await run(['doctor', '--json'], { env: user.env })).stdout);
    assert.deepEqual(
      problems.map(({ key }) => key),
      ['libtorch-refused'],
    );
    assert.ok(
      problems[0].text.includes(file) && problems[0].remedy.endsWith('npx torch-incremental libtorch use auto'),
    );
    assert.equal((await libtorch(['use', 'auto'])).stdout, 'The choice was removed\n');
    assert.equal((await libtorch(['use', 'auto'])).stdout, 'Nothing had been chosen\n');
  });

  it('treats the name of a variant as one even if a folder has it, and ./name as the folder', async () => {
    const cwd = fs.mkdtempSync(folder('current-'));
    for (const name of ['cpu', 'own']) fs.symlinkSync(real, path.join(cwd, name));
    const variant = await libtorch(['use', 'cpu'], { cwd });
    assert.match(
      variant.stderr,
      /cpu is not installed\. Install it: npx torch-incremental libtorch install --variant cpu/,
    );
    for (const [word, where] of [
      ['./cpu', 'cpu'],
      ['own', 'own'],
    ]) {
      const { stdout } = await libtorch(['use', word], { cwd });
      assert.ok(stdout.includes(` in ${path.join(cwd, where)} is used`), stdout);
    }
  });

  it('names XDG_CACHE_HOME if the choice cannot be recorded', async () => {
    const { code, stderr } = await libtorch(['use', real], { env: { XDG_CACHE_HOME: '/dev/null' } });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error\[ERR_FILE\]: Cannot record the choice in .*ENOTDIR.* XDG_CACHE_HOME can name another folder\n$/,
    );
  });
});
