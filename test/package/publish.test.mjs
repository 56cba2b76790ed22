// Tests scripts/release/publish.mjs with a stub for npm that records its calls: their order, and what is not published.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { npmPack } from '../../scripts/release/pack.mjs';
import { publish } from '../../scripts/release/publish.mjs';
import { temporaryFolder } from '../support.mjs';

const npm = `#!/bin/sh
case "$1" in
  view) cat "$STAND_IN/published/$2" 2> /dev/null || { echo "npm error code E404"; exit 1; };;
  publish) test -e "$STAND_IN/fail" && { echo "npm error code E403"; exit 1; }
    echo "$@" >> "$STAND_IN/calls";;
esac
`;

describe('publishing', () => {
  const folder = temporaryFolder();
  const pathBefore = process.env.PATH;
  let tarballs;

  beforeEach(async () => {
    for (const name of fs.readdirSync(folder())) fs.rmSync(folder(name), { recursive: true });
    tarballs = [];
    for (const name of ['libtorch', 'main']) {
      fs.mkdirSync(folder(name));
      fs.writeFileSync(folder(`${name}/package.json`), JSON.stringify({ name, version: '1.0.0' }));
      const { filename } = await npmPack(folder(name), ['--pack-destination', folder()]);
      tarballs.push(folder(filename));
    }
    fs.mkdirSync(folder('bin'));
    fs.mkdirSync(folder('published'));
    fs.writeFileSync(folder('bin/npm'), npm, { mode: 0o755 });
    process.env.STAND_IN = folder();
    process.env.PATH = `${folder('bin')}:${pathBefore}`;
  });

  afterEach(() => {
    process.env.PATH = pathBefore;
    delete process.env.STAND_IN;
  });

  const calls = () =>
    fs.existsSync(folder('calls')) ? fs.readFileSync(folder('calls'), 'utf8').trim().split('\n') : [];
  const integrity = (file) => `sha512-${createHash('sha512').update(fs.readFileSync(file)).digest('base64')}\n`;

  it('publishes the tarballs in the given order', async () => {
    await publish(tarballs, { dryRun: false });
    assert.deepEqual(
      calls(),
      tarballs.map((file) => `publish ${path.resolve(file)} --loglevel=error --access public`),
    );
  });

  it('skips a tarball that is already published as the same file', async () => {
    fs.writeFileSync(folder('published/libtorch@1.0.0'), integrity(tarballs[0]));
    await publish(tarballs, { dryRun: true });
    assert.deepEqual(calls(), [`publish ${tarballs[1]} --loglevel=error --access public --dry-run`]);
  });

  it('stops before the main package when libtorch is published as another file', async () => {
    fs.writeFileSync(folder('published/libtorch@1.0.0'), 'sha512-other\n');
    await assert.rejects(
      publish(tarballs, { dryRun: false }),
      /libtorch@1\.0\.0 is already published with another file/,
    );
    assert.deepEqual(calls(), []);
  });

  it('reports the output of npm when it fails', async () => {
    fs.writeFileSync(folder('fail'), '');
    await assert.rejects(
      publish(tarballs, { dryRun: false }),
      /npm publish libtorch@1\.0\.0 failed:\nnpm error code E403/,
    );
  });
});
