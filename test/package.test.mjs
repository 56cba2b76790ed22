// Tests the package as it is imported and required: the same names, and one class for each.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { readmeProgram, root } from './support.mjs';

const imported = await import('torch-incremental');
const required = createRequire(import.meta.url)('torch-incremental');

describe('the package', () => {
  it('gives import and require the same names', () => {
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  });

  it('gives import and require the same objects', () => {
    for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name);
  });

  it('documents every name and every error code in docs/api.md', () => {
    const page = fs.readFileSync(path.join(root, 'docs/api.md'), 'utf8');
    for (const name of [...Object.keys(required), ...required.errorCodes]) assert.ok(page.includes(`\`${name}`), name);
  });

  it('begins its README with nine lines of a program, and with five ratios that bench/RESULTS.md has', () => {
    const [screen] = fs.readFileSync(path.join(root, 'README.md'), 'utf8').split('\n## Install');
    assert.equal(readmeProgram.trim().split('\n').length, 9);
    const results = fs.readFileSync(path.join(root, 'bench/RESULTS.md'), 'utf8');
    const rows = [...screen.matchAll(/^\| .* \| ([\d.]+) .*\| `(node bench\/[\w-]+\.mjs)` \|$/gm)];
    assert.equal(rows.length, 5);
    for (const [row, ratio, command] of rows) {
      const section = results.split('\n## ').find((text) => text.includes(`\n\`${command}\`, `));
      assert.ok(section?.includes(ratio), row);
    }
  });

  it('names in package.json only files that are there, but for the prebuilt addons, which come with packing', () => {
    const { files, main, types, bin, exports } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
    const named = [
      ...files.filter((name) => !name.startsWith('!')),
      main,
      types,
      ...Object.values(bin),
      ...Object.values(exports['.']).flatMap(Object.values),
    ];
    for (const name of named) assert.ok(name === 'prebuilds' || fs.existsSync(path.join(root, name)), name);
  });
});
