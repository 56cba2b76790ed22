#!/usr/bin/env node
// prebuildify can only call node-gyp; this stands in for it and has cmake-js build one target of the checkout, as it was
// configured by the set-up. The target is the name of the folder it is called in, where prebuildify then takes, strips
// and renames the first .node file in build/Release: therefore a folder for each.
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
