// Checks the format and lint of all sources: Biome on TypeScript, JavaScript and JSON; clang-format and clang-tidy on C++; the
// public types. Part of `npm test`; alone: `npm run lint`. `npm run format` fixes what can be fixed automatically.
import fs from 'node:fs';
import path from 'node:path';
import { clangTidy } from './clang-tidy.mjs';
import { execute, filesUnder, root, say } from './setup/steps.mjs';

const fix = process.argv.includes('--fix');

/** Runs a tool of node_modules. Returns its findings, or ''. */
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

  /** Compiles uses of our types: those that must compile, and those marked @ts-expect-error that must not. */
  types: () => (fs.existsSync(path.join(root, 'test/types')) ? tool('tsc', ['--noEmit', '-p', 'test/types']) : ''),

  'clang-tidy': () => (fix ? '' : clangTidy()),
};

for (const [name, check] of Object.entries(checks)) {
  const complaint = await check();
  if (complaint === '') continue;
  const advice =
    !fix && /^(biome|clang-format)$/.test(name) ? ' To fix what can be fixed automatically: npm run format' : '';
  say(`\n${complaint}\n\n${name} found problems.${advice}\n`);
  process.exitCode = 1;
}
if (!process.exitCode) say(fix ? 'Formatted.' : 'Format and lint: clean.');
