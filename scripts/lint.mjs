// Format and lint of everything we write: Biome over TypeScript, JavaScript and JSON; clang-format and clang-tidy over
// C++; the types that users see. Part of `npm test`; `npm run lint` alone; `npm run format` mends what can be mended.
import fs from 'node:fs';
import path from 'node:path';
import { clangTidy } from './clang-tidy.mjs';
import { execute, filesUnder, root, say } from './setup/steps.mjs';

const fix = process.argv.includes('--fix');

/** Runs a tool of node_modules. Returns what it complained about, '' when nothing. */
async function tool(name, args) {
  const { ok, problem, output } = await execute(path.join(root, 'node_modules', '.bin', name), args);
  return ok ? '' : `${output.trim()}\n${name}: ${problem}`;
}

const checks = {
  biome: () => tool('biome', ['check', '--error-on-warnings', '--colors=off', ...(fix ? ['--write'] : [])]),

  'clang-format': () => {
    const folders = ['src', 'test', 'bench', 'packages'];
    const files = ['binding.cc', ...folders.flatMap((folder) => filesUnder(folder, ['.cc', '.h']))];
    return tool('clang-format', fix ? ['-i', ...files] : ['--dry-run', '-Werror', ...files]);
  },

  /** Compiles the uses of our types that must compile, and those marked @ts-expect-error that must not. */
  types: () => (fs.existsSync(path.join(root, 'test/types')) ? tool('tsc', ['--noEmit', '-p', 'test/types']) : ''),

  'clang-tidy': () => (fix ? '' : clangTidy()),
};

for (const [name, check] of Object.entries(checks)) {
  const complaint = await check();
  if (complaint === '') continue;
  const advice = !fix && /^(biome|clang-format)$/.test(name) ? ' What can be mended by itself: npm run format' : '';
  say(`\n${complaint}\n\n${name} complains.${advice}\n`);
  process.exitCode = 1;
}
if (!process.exitCode) say(fix ? 'Formatted.' : 'Format and lint: clean.');
