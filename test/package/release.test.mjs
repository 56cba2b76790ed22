// Tests the tarballs that would be published with the checks of `npm run release:check`.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checks, openRelease } from '../../scripts/release/checks/index.mjs';
import { platform } from '../../scripts/release/pack.mjs';
import { libtorchPackage } from '../../scripts/release/pin.mjs';
import { call } from '../install/machine.mjs';
import { readmeProgram, root, temporaryFolder } from '../support.mjs';
import { needsTarballs, tarballs } from './tarballs.mjs';

describe('the tarballs', () => {
  const folder = temporaryFolder();
  let release;

  before(async function () {
    needsTarballs(this);
    release = await openRelease(await tarballs(), folder('release'), { platform, all: false });
  });

  for (const [name, check] of Object.entries(checks)) {
    it(`pass this check: ${name}`, async () => {
      assert.deepEqual(await check(release), []);
    });
  }

  it('hold libraries that sha256sum finds to be those of SHA256SUMS', () => {
    const output = execFileSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: release.libtorch.folder, encoding: 'utf8' });
    assert.match(output, /^lib\/libtorch_cpu\.so: OK$/m);
  });

  it('hold every source of the addon, and no others', () => {
    const list = execFileSync('git', ['ls-files', 'src', 'binding.cc'], { cwd: root, encoding: 'utf8' });
    const sources = list.split('\n').filter(Boolean).sort();
    assert.ok(sources.length > 100);
    assert.deepEqual(release.main.files.filter((file) => /^src\/|^binding\.cc$/.test(file)).sort(), sources);
  });

  it("run README's first program as it stands there, in a folder that holds nothing else and without a network", async () => {
    const packages = folder('app/node_modules');
    fs.cpSync(release.main.folder, path.join(packages, 'torch-incremental'), { recursive: true });
    fs.mkdirSync(path.join(packages, '@torch-incremental'));
    fs.symlinkSync(release.libtorch.folder, path.join(packages, libtorchPackage(platform).name));
    const { dependencies } = JSON.parse(fs.readFileSync(path.join(release.main.folder, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies))
      fs.symlinkSync(path.join(root, 'node_modules', name), path.join(packages, name));
    fs.writeFileSync(folder('app/app.mjs'), readmeProgram);
    const env = { HOME: folder('app'), PATH: path.dirname(process.execPath) };
    const { code, stdout, stderr } = await call([process.execPath, 'app.mjs'], { cwd: folder('app'), env });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, 'accuracy 0.1 -> 1\n');
    assert.equal(stderr, '');
    assert.ok(fs.existsSync(folder('app/updated_model.pth')));
  });

  it('leave the workspace of libtorch as it is: private, and without a library', () => {
    const workspace = path.join(root, 'packages', `libtorch-${platform}-cpu`);
    assert.equal(JSON.parse(fs.readFileSync(path.join(workspace, 'package.json'), 'utf8')).private, true);
    assert.ok(!fs.existsSync(path.join(workspace, 'lib')));
  });
});
