// Runs clang-tidy on our C++, for scripts/lint.mjs. A file takes ten seconds, because it includes libtorch's headers, so clean
// files are remembered by their content and that of our headers they include.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, execute, fingerprint, readText, root, say, sayBriefly } from './setup/steps.mjs';
import { onPath } from './setup/toolchain.mjs';

const folder = path.join(buildFolder, 'clang-tidy');
const memory = path.join(folder, 'clean.json');

/** Returns the findings as text; '' if none exists. Prints a note and skips if there is no clang-tidy. */
export async function clangTidy() {
  const wanted = process.env.CLANG_TIDY ?? 'clang-tidy';
  const tool = wanted === '0' ? null : onPath(wanted);
  if (!tool) {
    if (process.env.CLANG_TIDY && wanted !== '0') return `CLANG_TIDY names ${wanted}, which does not exist.`;
    say('clang-tidy: SKIPPED, the C++ was not analysed (install clang-tidy, or name one in CLANG_TIDY)');
    return '';
  }
  const { output: version } = await execute(tool, ['--version']);
  const commands = compileCommands();
  const clean = JSON.parse(readText(memory) ?? '{}');
  const keys = new Map();
  for (const { file, command } of commands) {
    const name = path.relative(root, file);
    keys.set(name, fingerprint(['.clang-tidy', ...includeClosure(name)], version, command));
  }
  const due = [...keys.keys()].filter((name) => clean[name] !== keys.get(name));
  const reports = [];
  if (due.length > 0) say(`clang-tidy: ${due.length} of ${keys.size} files …`);
  let next = 0;
  const work = async () => {
    while (next < due.length) {
      const name = due[next++];
      sayBriefly(`  ${name}`);
      const { ok, output, problem } = await execute(tool, ['-p', folder, '--quiet', path.join(root, name)]);
      if (ok) clean[name] = keys.get(name);
      else
        reports.push(
          `${name} (${problem}):\n${output.replace(/^\d+ warnings?( and \d+ errors?)? generated\.\n/gm, '')}`,
        );
      // Written after each file, so that an interrupted run does not repeat clean files.
      fs.writeFileSync(memory, JSON.stringify(clean));
    }
  };
  const jobs = Number(process.env.CMAKE_BUILD_PARALLEL_LEVEL) || os.availableParallelism();
  await Promise.all(Array.from({ length: jobs }, work));
  sayBriefly('');
  return reports.join('\n');
}

/** Converts the build's commands for clang: without GCC's precompiled header, which clang cannot read. */
function compileCommands() {
  const commands = JSON.parse(fs.readFileSync(path.join(buildFolder, 'compile_commands.json'), 'utf8'))
    .filter(({ file }) => !file.startsWith(buildFolder))
    .map(({ directory, file, command }) => ({
      directory,
      file,
      command: command.replace(/ -Winvalid-pch -include ("[^"]*"|\S+)| -Wshadow=\S+/g, ''),
    }));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'compile_commands.json'), JSON.stringify(commands));
  return commands;
}

/** Returns a file and all of our headers that it includes, directly or indirectly. */
function includeClosure(name, seen = new Set()) {
  if (seen.has(name) || !fs.existsSync(path.join(root, name))) return seen;
  seen.add(name);
  const text = fs.readFileSync(path.join(root, name), 'utf8');
  for (const [, included] of text.matchAll(/^#include "([^"]+)"/gm)) includeClosure(included, seen);
  return seen;
}
