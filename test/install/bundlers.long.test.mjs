// Tests an application that was bundled into one file: it works if the package is outside the bundle, and says what to do if
// it is not.
import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { firstUse, main, sharedProject } from './project.mjs';
import { tool } from './tools.mjs';

describe('a bundled application', () => {
  let project;
  let esbuild;

  before(async function () {
    project = await sharedProject(this);
    esbuild = (await import(pathToFileURL(await tool(this, 'esbuild')).href)).default;
    project.write('first-use.mjs', firstUse);
  });

  /** Bundles first-use.mjs into dist/, and runs that. */
  async function bundle(options) {
    const extension = options.format === 'esm' ? 'mjs' : 'cjs';
    const outfile = path.join(project.folder, 'bundled', `${options.external ? 'external' : 'whole'}.${extension}`);
    const entry = path.join(project.folder, 'first-use.mjs');
    await esbuild.build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
      outfile,
      ...options,
    });
    return project.node([outfile]);
  }

  for (const format of ['esm', 'cjs']) {
    it(`works with the package left outside, as ${format}`, async () => {
      const { code, stdout, stderr } = await bundle({ format, external: [main] });
      assert.deepEqual([code, stdout], [0, 'null\n'], stderr);
    });
  }

  it('says that the package must stay outside the bundle, if it does not', async () => {
    const { code, stdout, stderr } = await bundle({ format: 'cjs' });
    assert.equal(code, 0, stderr);
    const { code: name, message, remedies } = JSON.parse(stdout);
    assert.equal(name, 'ERR_LIBTORCH_LOAD');
    assert.match(message, /The addon is missing: /);
    assert.match(remedies[0], /a bundler must leave this package alone: esbuild --external:torch-incremental/);
  });

  it('does not start as an ES module that holds the package, with the words that docs/install.md explains', async () => {
    const { code, stderr } = await bundle({ format: 'esm' });
    assert.equal(code, 1);
    assert.match(stderr, /Dynamic require of "\S+" is not supported/);
  });
});
