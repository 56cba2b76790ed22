// Tests `torch-incremental libtorch` against a mirror on this machine with made-up builds.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import manifest from '../../dist/libtorch/manifest.js';
import { needs, root } from '../support.mjs';
import { FileServer, silentAfter, startProxy, status } from '../unit/file-server.mjs';
import { libtorchZip, libtorchZipSizes, sha256, version, wheel } from '../unit/libtorch-support.mjs';
import { newHome } from './libtorch-home.mjs';
import { lines, run } from './run.mjs';

const zip = libtorchZip();
const { variants } = manifest.pin.platforms['linux-x64'];
const zipPath = decodeURIComponent(new URL(variants.cu126.archives[0].url).pathname);
/** The only variant that can be installed from a made-up archive, because the user gives its checksum. */
const cu126 = ['libtorch', 'install', '--variant', 'cu126', '--sha256', sha256(zip), '--yes'];

describe('command line: libtorch', () => {
  const user = newHome();
  const { folder } = user;
  /** A made-up build does not load, so its libraries must be recognised by their sizes. */
  const sizes = folder('sizes.cjs');
  let server;

  before(() => {
    const module = JSON.stringify(path.join(root, 'dist/libtorch/manifest.js'));
    const variant = `require(${module}).pin.platforms['linux-x64'].variants.cu126`;
    fs.writeFileSync(sizes, `${variant}.libraries = ${JSON.stringify(libtorchZipSizes)};`);
  });

  beforeEach(async () => {
    server = await new FileServer().start();
    server.files.set(zipPath, zip);
    user.env.NODE_OPTIONS = `--require "${sizes}"`;
    user.env.TORCH_INCREMENTAL_LIBTORCH_MIRROR = server.url();
  });

  afterEach(() => server.stop());

  const call = (args, changes = {}) => run(args, { ...changes, env: { ...user.env, ...changes.env } });
  const libtorch = (...args) => call(['libtorch', ...args]);
  const target = (name) => path.join(user.cache, `${version}+${name}`);
  const write = (name, bytes) => {
    fs.writeFileSync(folder(name), bytes);
    return folder(name);
  };
  const json = async () => JSON.parse((await libtorch('list', '--json')).stdout);

  /** Installs cu126, and sends the process a signal once so many bytes are on disk. */
  function stoppedAfter(count, signal) {
    server.answers.set(zipPath, [silentAfter(zip, count)]);
    const part = path.join(`${target('cu126')}.parts`, path.basename(zipPath));
    const meanwhile = async (child) => {
      while (!(fs.statSync(part, { throwIfNoEntry: false })?.size >= count)) await sleep(10);
      child.kill(signal);
    };
    return call(cu126, { meanwhile });
  }

  it('installs from a mirror, lists the build, chooses it, and removes it', async () => {
    const { code, stdout, stderr } = await call(cu126);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `libtorch ${version} cu126 is installed in ${target('cu126')}\n`);
    assert.match(stderr, /^cu126 computes on the CPU here: it needs an NVIDIA driver of at least 525\.60\.13/);
    assert.match(stderr, /Fetching libtorch cu126: 100\.0 %.*\n.*Unpacking libtorch cu126: /);
    assert.ok(fs.existsSync(path.join(target('cu126'), 'include/ATen/ATen.h')));

    const { stdout: list } = await libtorch('list');
    assert.match(list, /\n {2}cu126 +\d+\.\d kB +525\.60\.13 +installed, in use\n/);
    assert.match(list, /\n {2}cu128 +unknown +525\.60\.13 +available with --sha256\n/);
    assert.ok(list.endsWith(`\nIn use: ${target('cu126')}\n`), list);

    assert.equal((await libtorch('use', 'cu126')).stdout, 'cu126 is used from now on\n');
    assert.deepEqual((await json()).choice, { variant: 'cu126' });
    assert.match((await libtorch('list')).stdout, /\(torch-incremental libtorch use\)\n$/);
    assert.equal((await libtorch('remove', 'cu126')).stdout, 'Removed cu126\n');
    assert.deepEqual(fs.readdirSync(user.cache), []);
    assert.equal((await json()).inUse, null);
  });

  it('reports which build is used if another one was installed', async () => {
    await call(cu126);
    const again = await call(cu126, { env: { LIBTORCH: target('cu126') } });
    assert.equal(again.stdout, `libtorch ${version} cu126 was already installed in ${target('cu126')}\n`);
    assert.match(again.stderr, / \(LIBTORCH\) takes precedence\. To change that: unset LIBTORCH\n$/);
    assert.equal(server.requests.length, 1);
  });

  it('stops cleanly at Ctrl-C, and resumes the partial download', async () => {
    const half = Math.floor(zip.length / 2);
    const { code, stdout, stderr } = await stoppedAfter(half, 'SIGINT');
    assert.deepEqual([code, stdout], [130, '']);
    assert.match(stderr, /Interrupted; nothing was changed\. The next call resumes the download\n$/);
    assert.deepEqual(fs.readdirSync(user.cache), [`${version}+cu126.parts`]);
    assert.match((await libtorch('list')).stdout, /cu126 .* \d+ B fetched, not finished\n/);
    assert.equal((await call(cu126)).code, 0);
    assert.equal(server.requests.at(-1), `${zipPath} bytes=${half}-`);
  });

  it('survives being killed, and two calls at once share one download', async () => {
    assert.equal((await stoppedAfter(1000, 'SIGKILL')).signal, 'SIGKILL');
    const [first, second] = await Promise.all([call(cu126), call(cu126)]);
    assert.deepEqual([first.code, second.code], [0, 0]);
    assert.deepEqual(server.requests, [`${zipPath} whole`, `${zipPath} bytes=1000-`]);
    assert.deepEqual(fs.readdirSync(user.cache), [`${version}+cu126`]);
  });

  it('follows the redirections of a mirror, and names a mirror without the file', async () => {
    server.files.set('/elsewhere', zip);
    server.answers.set(zipPath, [status(302, { location: '/elsewhere' })]);
    assert.equal((await call(cu126)).code, 0);
    const { code, stderr } = await libtorch('install', '--variant', 'cpu', '--yes');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /error\[ERR_DOWNLOAD\]: Could not fetch torch-.*\n {2}https: http:\/\/127\.0\.0\.1.*answered 404/,
    );
    assert.match(stderr, /install from files: npx torch-incremental libtorch install --variant cpu --print-urls\n$/);
    assert.doesNotMatch(stderr, /pip/);
  });

  it('goes through the proxy of the environment', async () => {
    const proxy = await startProxy(new URL(server.url()).port);
    const changes = {
      HTTP_PROXY: `http://${proxy.address}`,
      http_proxy: undefined,
      TORCH_INCREMENTAL_LIBTORCH_MIRROR: 'http://mirror.test/base',
    };
    server.files.set(`/base${zipPath}`, zip);
    const { code, stderr } = await call(cu126, { env: changes });
    proxy.stop();
    assert.equal(code, 0, stderr);
    assert.equal(proxy.requests.length, 1);
    assert.match(proxy.requests[0], /^GET http:\/\/mirror\.test\/base\/libtorch\/cu126\/.*%2Bcu126\.zip$/);
  });

  it('changes nothing for a wrong checksum, another version, or a file that is not libtorch', async () => {
    const other = libtorchZip('cu126', { version: '2.11.0' });
    const text = write('text.zip', 'no zip');
    for (const [args, sign] of [
      [['--sha256', '0'.repeat(64), '--yes'], /ERR_DOWNLOAD\].*sha256 [0-9a-f]{64} instead of 0{64}/s],
      [['--from', write('other.zip', other), '--sha256', sha256(other)], /ERR_LIBTORCH_VERSION\].*is version 2\.11\.0/],
      [['--from', text, '--sha256', sha256('no zip')], /ERR_FILE\].*is not a zip archive/],
      [['--from', folder('nothing')], /ERR_FILE\]: Cannot read .*nothing/],
      [['--from', fs.mkdtempSync(folder('empty '))], /ERR_FILE\].*holds neither lib\/libtorch\.so nor/],
    ]) {
      const { code, stdout, stderr } = await libtorch('install', '--variant', 'cu126', ...args);
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, sign);
      assert.ok(!fs.existsSync(target('cu126')));
    }
  });

  it('says that the cache cannot be written to', async () => {
    const { code, stderr } = await call(cu126, { env: { XDG_CACHE_HOME: '/sys' } });
    assert.equal(code, 1);
    assert.match(stderr, /error\[ERR_FILE\]: Could not install libtorch in \/sys\/torch-incremental\/libtorch: E/);
  });

  it('asks for --yes without a terminal, and fetches nothing', async () => {
    const { code, stderr } = await libtorch('install', '--variant', 'cpu');
    assert.equal(code, 2);
    assert.match(stderr, /Expected --yes, .* Fetch libtorch .* cpu, 191\.8 MB, from 127\.0\.0\.1:\d+ into/);
    assert.deepEqual(server.requests, []);
  });

  it('asks too if the installed build cannot be loaded, and lists it as broken', async () => {
    const madeUp = ['--from', write('cpu.whl', wheel()), '--sha256', sha256(wheel())];
    assert.equal((await libtorch('install', '--variant', 'cpu', ...madeUp)).code, 0);
    const { stdout } = await libtorch('list');
    assert.match(stdout, /\n {2}cpu .* broken: does not load: .*libtorch\.so/);
    assert.match(stdout, /\nIn use: none, because no build can be used\n$/);
    const { variants: listed, inUse } = await json();
    assert.deepEqual([listed[0].variant, listed[0].installed, inUse], ['cpu', false, null]);
    assert.match(listed[0].problem, /^does not load/);
    const { code, stderr } = await libtorch('install', '--variant', 'cpu');
    assert.equal(code, 2);
    assert.match(stderr, /Expected --yes, .* Fetch libtorch .* cpu/);
    assert.deepEqual(server.requests, []);
  });

  it('prints the files to fetch, and installs from the folder with them', async () => {
    const { code, stdout } = await libtorch('install', '--variant', 'cu130', '--print-urls');
    assert.equal(code, 0);
    const urls = lines(stdout).filter((line) => line.startsWith('http'));
    const sums = lines(stdout).filter((line) => /^[0-9a-f]{64} {2}\S+$/.test(line));
    assert.equal(urls.length, variants.cu130.archives.length);
    assert.deepEqual(
      sums.map((line) => line.split('  ')),
      variants.cu130.archives.map((one) => [one.sha256, decodeURIComponent(one.url.split('/').at(-1))]),
    );
    assert.ok(urls.every((url) => url.startsWith(server.url('/packages/'))));

    const shown = (await libtorch('install', '--variant', 'cu126', '--print-urls')).stdout;
    assert.match(shown, /# npx torch-incremental libtorch install --variant cu126 --from <folder> --sha256 <hex>\n$/);
    const here = fs.mkdtempSync(folder('fetched '));
    fs.writeFileSync(path.join(here, path.basename(zipPath)), zip);
    const sum = ['--sha256', sha256(zip)];
    const installed = await libtorch('install', '--variant', 'cu126', '--from', here, ...sum);
    assert.equal(installed.code, 0, installed.stderr);
    assert.deepEqual(server.requests, []);
  });

  it('chooses a folder in place, and says how to undo that once it is missing', async () => {
    await call([
      ...cu126.slice(0, 4),
      '--from',
      write('cpu.whl', wheel()),
      '--variant',
      'cpu',
      '--sha256',
      sha256(wheel()),
    ]);
    const own = folder('own libtorch');
    fs.cpSync(target('cpu'), own, { recursive: true });
    const used = await libtorch('install', '--from', own);
    assert.equal(used.stdout, `libtorch ${version}+cpu in ${own} is used from now on. Nothing was copied\n`);
    assert.deepEqual((await json()).choice, { folder: own });
    fs.rmSync(own, { recursive: true });
    assert.match((await libtorch('list')).stdout, /own libtorch .*which cannot be used: no such folder\n$/);
    const load = `require(${JSON.stringify(path.join(root, 'dist/libtorch/load.js'))}).loadLibtorch()`;
    const failed = await call([load], { script: '-e' });
    assert.match(failed.stderr, /own libtorch\): no such folder/);
    assert.match(failed.stderr, /npx torch-incremental libtorch use auto/);
    assert.equal((await libtorch('use', own)).code, 1);
    assert.equal((await libtorch('use', 'auto')).stdout, 'The choice was removed\n');
    assert.equal((await json()).choice, null);
  });

  it('reports that a Python has no torch, or does not exist', async () => {
    const none = write('python', '#!/bin/sh\necho\n');
    fs.chmodSync(none, 0o755);
    const missing = await call(['libtorch', 'use', 'python'], { env: { TORCH_INCREMENTAL_PYTHON: none } });
    assert.match(missing.stderr, /ERR_LIBTORCH_NOT_FOUND\]: .*python has no torch/);
    const nowhere = await call(['libtorch', 'use', 'python'], { env: { TORCH_INCREMENTAL_PYTHON: folder('nowhere') } });
    assert.match(nowhere.stderr, /could not be asked for its torch: it was not found/);
    assert.ok(!fs.existsSync(user.cache));
  });

  it('uses the torch of a Python in place', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const { code, stdout } = await call(['libtorch', 'install', '--from', 'python']);
    assert.equal(code, 0);
    assert.match(stdout, /site-packages\/torch is used/);
  });

  it('reports that a planned platform is not built', async () => {
    const planned = write('planned.cjs', "Object.defineProperty(process, 'arch', { value: 'arm64' });");
    const NODE_OPTIONS = `--require "${planned}"`;
    for (const words of [['list'], ['install', '--yes'], ['use', 'cpu']]) {
      const { code, stderr } = await call(['libtorch', ...words], { env: { NODE_OPTIONS } });
      assert.equal(code, 1);
      assert.match(stderr, /ERR_UNSUPPORTED_PLATFORM\]: .* is not built for linux-arm64 yet; it runs on linux-x64\n$/);
    }
  });

  it('names a build that is not installed, and the existing variants', async () => {
    for (const [args, exit, sign] of [
      [['use', 'cu130'], 1, /cu130 is not installed\. Install it: .*--variant cu130/],
      [['remove', 'cu130'], 1, /cu130 is not installed in /],
      [['use', 'cu13'], 2, /Unknown variant 'cu13'; did you mean cu130\?/],
      [['remove', 'rocm'], 2, /there are cpu, cu126, cu128, cu130/],
      [['install', '--variant', 'cuda'], 2, /Unknown variant 'cuda'/],
      [['install', '--sha256', 'abc'], 2, /Expected 64 hexadecimal digits for "--sha256"/],
      [['install', '--variant', 'cu126', '--yes'], 2, /checksum of cu126 is not known.*--sha256 <hex>/],
      [['install', 'cu130'], 2, /Unexpected 'cu130': libtorch install takes options only/],
      [[], 2, /^Usage: torch-incremental libtorch <command>/],
      [
        ['instal'],
        2,
        /Unknown command 'instal'; did you mean install\?\nSee: npx torch-incremental libtorch --help\n$/,
      ],
      [['--json'], 2, /Expected a command before --json; there are install, list, use, remove/],
    ]) {
      const { code, stdout, stderr } = await libtorch(...args);
      assert.deepEqual([code, stdout], [exit, ''], stderr);
      assert.match(stderr, sign);
    }
    assert.deepEqual(server.requests, []);
  });
});
