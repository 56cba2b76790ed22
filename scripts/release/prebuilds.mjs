// The addon as it is published: prebuilds/<platform>/<name>.<libc>.node, stripped, made by prebuildify from what cmake-js
// builds. prebuildify brings the names and the tag of the C library that loaders of prebuilds agree on.
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, readText, root, run } from '../setup/steps.mjs';
import { sha256Of } from './checksums.mjs';

const targets = ['loader', 'torch_incremental'];
const folder = path.join(root, 'prebuilds');
const work = path.join(buildFolder, 'release', 'prebuild');
const stampFile = path.join(work, 'stamp');

/** Nothing is done when nothing was built since. */
export async function makePrebuilds() {
  const built = targets.map((target) => path.join(buildFolder, 'Release', `${target}.node`));
  const stamp = (await Promise.all(built.map(sha256Of))).join('\n');
  if (readText(stampFile) === stamp && fs.existsSync(folder)) return;
  fs.rmSync(folder, { recursive: true, force: true });
  for (const target of targets) {
    const cwd = path.join(work, target);
    fs.mkdirSync(cwd, { recursive: true });
    await run('prebuildify', process.execPath, [
      path.join(root, 'node_modules', 'prebuildify', 'bin.js'),
      ...['--napi', '--strip', '--tag-libc', '--name', target, '--cwd', cwd, '--out', root],
      ...['--node-gyp', path.join(root, 'scripts', 'release', 'node-gyp-shim.mjs')],
    ]);
  }
  fs.writeFileSync(stampFile, stamp);
}
