// Checks the packages with other tools: publint, arethetypeswrong, and npm itself, which must pack the same file twice.
import fs from 'node:fs';
import path from 'node:path';
import { execute, root } from '../../setup/steps.mjs';
import { sha256Of } from '../checksums.mjs';
import { npmPack } from '../pack.mjs';

/** Disables colours, which some tools print in CI. */
const { FORCE_COLOR: _, ...rest } = process.env;
const env = { ...rest, NO_COLOR: '1' };
const tool = (name, args) =>
  execute(process.execPath, [path.join(root, 'node_modules', ...name.split('/')), ...args], { env });

/** Suggestions count as problems too. */
export async function publint({ main, libtorch }) {
  const problems = [];
  for (const { folder } of [main, libtorch]) {
    const { ok, output } = await tool('publint/src/cli.js', ['run', folder, '--strict', '--pack', 'false']);
    if (!ok || !output.includes('All good!')) problems.push(output.trim());
  }
  return problems;
}

/** Checks the types for require and import, in every kind of project that TypeScript supports. */
export async function types({ main }) {
  const args = [main.tarball, '--format', 'ascii', '--no-emoji', '--no-color'];
  const { ok, output } = await tool('@arethetypeswrong/cli/dist/index.js', args);
  return ok ? [] : [output.trim()];
}

/** Packs the unpacked files again, which also shows that nothing outside the tarball is needed. */
export async function reproducible({ main, libtorch, all }) {
  const problems = [];
  for (const one of all ? [main, libtorch] : [main]) {
    const again = path.join(path.dirname(one.folder), 'again');
    fs.mkdirSync(again, { recursive: true });
    const { filename } = await npmPack(one.folder, ['--pack-destination', again]);
    const [first, second] = [await sha256Of(one.tarball), await sha256Of(path.join(again, filename))];
    if (first !== second) problems.push(`${filename} packed again is another file: ${first}, then ${second}`);
    fs.rmSync(again, { recursive: true });
  }
  return problems;
}
