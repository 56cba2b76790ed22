// Runs a local registry with both packages, as they would be published, for every test that installs them. Started when
// first needed, stopped after the last test. It fetches other packages from the registry that npm is configured with.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute, root } from '../../scripts/setup/steps.mjs';
import { needsTarballs, tarballs } from '../package/tarballs.mjs';
import { needsUpstream, newestNode, tool } from './tools.mjs';

let started;
let server;
const folder = path.join(os.tmpdir(), `torch-incremental-registry-${process.pid}`);

/** Returns { url, storage, home }: `home` is a home folder whose caches all installations share. Skips if there is no registry. */
export async function registry(test) {
  needsTarballs(test);
  await needsUpstream(test);
  const verdaccio = await tool(test, 'verdaccio');
  const node = await tool(test, newestNode);
  started ??= start(path.resolve(verdaccio, '../..'), node);
  return started;
}

async function start(verdaccio, node) {
  fs.mkdirSync(path.join(folder, 'home'), { recursive: true });
  const files = await tarballs();
  const upstream = await execute('npm', ['config', 'get', 'registry']);
  fs.writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(configuration(upstream.output.trim())));
  server = fork(path.join(import.meta.dirname, 'registry-server.cjs'), [verdaccio, path.join(folder, 'config.yaml')], {
    execPath: node,
    execArgv: [],
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(server, 'exit').then(([code]) => {
    throw new Error(`the local registry ended with exit code ${code}`);
  });
  const [port] = await Promise.race([once(server, 'message'), ended]);
  const url = `http://127.0.0.1:${port}/`;
  await publish([files.libtorch, files.main], url);
  return { url, storage: path.join(folder, 'storage'), home: path.join(folder, 'home') };
}

/** JSON is YAML. No login is needed: the registry is reachable only from this machine, and only during the tests. */
function configuration(upstream) {
  const anyone = { access: '$all', publish: '$all', unpublish: '$all' };
  return {
    storage: path.join(folder, 'storage'),
    max_body_size: '1000mb',
    web: { enable: false },
    log: { type: 'file', path: path.join(folder, 'log'), level: 'warn' },
    uplinks: { upstream: { url: upstream, maxage: '60m', timeout: '60s' } },
    packages: {
      'torch-incremental': anyone,
      '@torch-incremental/*': anyone,
      '**': { access: '$all', proxy: 'upstream' },
    },
  };
}

/** As a release is published. */
async function publish(files, url) {
  const config = path.join(folder, 'npmrc');
  // npm publishes only with a token; verdaccio treats an unknown one as anonymous.
  fs.writeFileSync(config, `registry=${url}\n${url.slice('http:'.length)}:_authToken=nobody\n`);
  const script = path.join(root, 'scripts/release/publish.mjs');
  const env = { ...process.env, npm_config_userconfig: config, npm_config_registry: url };
  const { ok, output } = await execute(process.execPath, [script, ...files], { env });
  if (!ok) throw new Error(`the local registry did not take the packages:\n${output}`);
}

process.on('exit', () => server?.kill());

after(async function () {
  if (!started) return;
  this.timeout(60_000);
  server?.disconnect();
  if (server && server.exitCode === null) await once(server, 'exit');
  fs.rmSync(folder, { recursive: true, force: true });
});
