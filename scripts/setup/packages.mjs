// Installs npm packages and compiles the TypeScript, if their sources have changed.
import fs from 'node:fs';
import path from 'node:path';
import { filesUnder, fingerprint, readText, root, run, step } from './steps.mjs';

/** npm ci removes node_modules first, and this stamp with it: an interrupted run leaves no stamp. */
const packagesStamp = path.join(root, 'node_modules', '.torch-incremental');
const dist = path.join(root, 'dist');
const distStamp = path.join(dist, '.stamp');

export async function installPackages() {
  const current = fingerprint(['package-lock.json']);
  if (readText(packagesStamp) === current) return false;
  await step('Installing npm packages', () =>
    run('npm ci', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']),
  );
  fs.writeFileSync(packagesStamp, current);
  return true;
}

export async function compileTypeScript() {
  const sources = [...filesUnder('lib', ['.ts', '.mts', '.cts']), 'tsconfig.json'];
  const current = fingerprint(sources, readText(packagesStamp));
  if (readText(distStamp) === current) return false;
  // The output of a removed source must not stay importable.
  fs.rmSync(dist, { recursive: true, force: true });
  await step('Compiling TypeScript', () =>
    run('tsc', path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', root, '--pretty', 'false']),
  );
  fs.writeFileSync(distStamp, current);
  return true;
}
