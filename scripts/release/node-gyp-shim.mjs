#!/usr/bin/env node
// Replaces node-gyp, the only tool that prebuildify can call: builds one target of the checkout with cmake-js, as configured by
// the setup. The target is the name of the current folder, in which prebuildify then takes, strips and renames the first .node
// file of build/Release. Each target therefore has its own folder.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, root } from '../setup/steps.mjs';

const target = path.basename(process.cwd());
const cmakeJs = path.join(root, 'node_modules', 'cmake-js', 'bin', 'cmake-js');
const { status } = spawnSync(process.execPath, [cmakeJs, 'build', '--target', target, '--log-level', 'error'], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
});
if (status === 0) {
  fs.mkdirSync('build/Release', { recursive: true });
  fs.copyFileSync(path.join(buildFolder, 'Release', `${target}.node`), path.join('build', 'Release', `${target}.node`));
}
process.exitCode = status ?? 1;
