// Makes the published form of the addon: prebuilds/<platform>/<name>.<libc>.node, stripped, by prebuildify from the result of
// cmake-js. prebuildify adds the usual names and the tag of the C library. Files of other platforms, which the release workflow
// copies from other machines, are not touched.
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, readText, root, run } from '../setup/steps.mjs';
import { sha256Of } from './checksums.mjs';

const targets = ['loader', 'torch_incremental'];
const folder = path.join(root, 'prebuilds', `${process.platform}-${process.arch}`);
const work = path.join(buildFolder, 'release', 'prebuild');
const stampFile = path.join(work, 'stamp');

/** Returns the files of a platform, relative to the root of the package. */
export function prebuildsOf(platform) {
  const tag = platform.startsWith('linux-') ? '.glibc' : '';
  return targets.map((target) => `prebuilds/${platform}/${target}${tag}.node`);
}

/** Does nothing if nothing was built since the last call. */
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
      ...[
        '--napi',
        '--strip',
        ...(process.platform === 'linux' ? ['--tag-libc'] : []),
        '--name',
        target,
        '--cwd',
        cwd,
        '--out',
        root,
      ],
      ...['--node-gyp', path.join(root, 'scripts', 'release', 'node-gyp-shim.mjs')],
    ]);
  }
  fs.writeFileSync(stampFile, stamp);
}
