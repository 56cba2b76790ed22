// Tests lib/install/pip.ts with a stub for Python that records its calls.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import pip from '../../dist/install/pip.js';
import { temporaryFolder } from '../support.mjs';

/** Ends only when its input is closed. Behaves as pip does if it may not ask for a password. */
const standIn = `
import fs from 'node:fs';
const args = process.argv.slice(2);
fs.appendFileSync(process.env.CALLS, JSON.stringify({ args, cwd: process.cwd(), files: fs.readdirSync('.') }) + '\\n');
process.stdin.resume().on('end', () => {
  if (args.includes('--version')) return;
  if (process.env.REFUSED) {
    console.error('WARNING: 401 Error, Credentials not correct\\nERROR: No matching distribution found for torch==1');
    process.exitCode = 1;
  } else {
    fs.writeFileSync(args[args.indexOf('--dest') + 1] + '/torch-1.whl', 'made up');
  }
});
`;

describe('fetching by pip', () => {
  const folder = temporaryFolder();
  const before = process.env.PATH;
  let here;
  let calls;

  beforeEach(() => {
    here = fs.mkdtempSync(folder('é '));
    calls = path.join(here, 'calls');
    fs.mkdirSync(path.join(here, 'bin'));
    fs.mkdirSync(path.join(here, 'parts'));
    fs.writeFileSync(path.join(here, 'pip.mjs'), standIn);
    const script = `#!/bin/sh\nexec "${process.execPath}" "${here}/pip.mjs" "$@"\n`;
    fs.writeFileSync(path.join(here, 'bin/python3'), script, { mode: 0o755 });
    process.env.PATH = path.join(here, 'bin');
    process.env.CALLS = calls;
  });

  afterEach(() => {
    process.env.PATH = before;
    delete process.env.CALLS;
    delete process.env.REFUSED;
  });

  const fetch = () =>
    pip.fetchByPip({ requirement: 'torch==1', arguments: ['--platform', 'x'] }, path.join(here, 'parts/torch.whl'));

  it('gives it no input, and its own folder to run in, because Python runs a pip/ in its folder', async () => {
    await fetch();
    assert.deepEqual(fs.readdirSync(path.join(here, 'parts')), ['torch.whl']);
    const [version, download, ...more] = fs.readFileSync(calls, 'utf8').trimEnd().split('\n').map(JSON.parse);
    assert.deepEqual([version.args, more], [['-m', 'pip', '--version'], []]);
    assert.deepEqual(download.args.slice(0, 4), ['-m', 'pip', 'download', '--no-input']);
    for (const { cwd, files } of [version, download]) {
      assert.equal(path.dirname(cwd), path.join(here, 'parts'));
      assert.deepEqual(files, []);
    }
  });

  it('reports its error when it fails, and leaves nothing', async () => {
    process.env.REFUSED = 'yes';
    await assert.rejects(fetch(), /^Error: No matching distribution found for torch==1$/);
    assert.deepEqual(fs.readdirSync(path.join(here, 'parts')), []);
  });

  it('reports that there is no pip', async () => {
    fs.rmSync(path.join(here, 'bin/python3'));
    await assert.rejects(fetch(), /^Error: neither python3 -m pip nor pip3 was found$/);
    assert.deepEqual(fs.readdirSync(path.join(here, 'parts')), []);
  });
});
