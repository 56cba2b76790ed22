// Tests `torch-incremental libtorch install` when nothing is to be installed: invalid calls, and installed builds.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { real } from '../unit/libtorch-loading.mjs';
import { version } from '../unit/libtorch-support.mjs';
import { newHome } from './libtorch-home.mjs';
import { run } from './run.mjs';

describe('command line: libtorch install', () => {
  const user = newHome();
  const { folder } = user;

  const install = (...args) => run(['libtorch', 'install', ...args], { env: user.env });

  it('refuses options that cannot be combined, and changes nothing', async () => {
    const own = fs.mkdtempSync(folder('own '));
    fs.mkdirSync(path.join(own, 'lib'));
    fs.writeFileSync(path.join(own, 'lib/libtorch.so'), '');
    fs.writeFileSync(path.join(own, 'build-version'), version);
    user.env.TORCH_INCREMENTAL_PYTHON = folder('python with torch');
    fs.writeFileSync(user.env.TORCH_INCREMENTAL_PYTHON, `#!/bin/sh\necho '${own}'\n`, { mode: 0o755 });
    const given = ['--sha256', '0'.repeat(64)];
    for (const [words, sign] of [
      [['--from', 'python', '--print-urls'], /--print-urls .* cannot be combined with --from or --sha256/],
      [['--from', own, '--print-urls'], /cannot be combined with --from/],
      [['--variant', 'cu126', '--print-urls', ...given], /cannot be combined with --from/],
      [['--from', 'python', ...given], /--sha256 is of one file, and --from names .*own .*, which is used where it is/],
      [['--from', own, ...given], /--sha256 is of one file/],
    ]) {
      const { code, stdout, stderr } = await install(...words);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, sign);
      assert.deepEqual(fs.readdirSync(user.home), []);
    }
  });

  it('does not print the password of a mirror in lists and questions', async () => {
    user.env.TORCH_INCREMENTAL_LIBTORCH_MIRROR = 'http://user:secret@mirror.test/base';
    const listed = await install('--variant', 'cpu', '--print-urls');
    assert.match(listed.stdout, /^http:\/\/mirror\.test\/base\/whl\/cpu\/torch-/m);
    const asked = await install('--variant', 'cpu');
    assert.match(asked.stderr, /from mirror\.test into/);
    for (const { stdout, stderr } of [listed, asked]) assert.doesNotMatch(stdout + stderr, /secret|user:/);
  });

  it('reports an installed build, also if its checksum is not known, and asks nothing', async () => {
    const target = path.join(user.cache, `${version}+cu126`);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.symlinkSync(real, target);
    for (const more of [[], ['--yes']]) {
      const { code, stdout, stderr } = await install('--variant', 'cu126', ...more);
      assert.deepEqual([code, stdout], [0, `libtorch ${version} cu126 was already installed in ${target}\n`], stderr);
    }
    fs.rmSync(target);
    fs.mkdirSync(target);
    const broken = await install('--variant', 'cu126');
    assert.deepEqual([broken.code, broken.stdout], [2, '']);
    assert.match(broken.stderr, /checksum of cu126 is not known/);
  });
});
