// Checks the tools that a build needs: Node, a C++20 compiler, cmake, ninja or make. If one is missing, the error has the exact
// command that installs it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute, readText, root, SetupError } from './steps.mjs';

const cmakeVersion = [3, 18];

export function checkNode() {
  const { engines } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const needed = engines.node.match(/\d+/g).map(Number);
  if (atLeast(process.versions.node, needed)) return;
  throw new SetupError(
    `Node ${needed.join('.')} or newer is needed; this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one: https://nodejs.org/en/download',
  );
}

let checked;

/** Returns the compiler for cmake. Rejects with a SetupError that lists everything that is missing. */
export function checkToolchain() {
  checked ??= findToolchain();
  return checked;
}

async function findToolchain() {
  const problems = [];
  const missing = [];

  const compiler = await findCompiler();
  if (!compiler.path) {
    missing.push('compiler');
    problems.push(...compiler.problems);
  }
  const cmake = await execute('cmake', ['--version']);
  const version = cmake.output.match(/version (\d+\.\d+[.\d]*)/)?.[1];
  if (!version) {
    missing.push('cmake');
    problems.push(`cmake: ${cmake.problem}`);
  } else if (!atLeast(version, cmakeVersion)) {
    missing.push('cmake');
    problems.push(`cmake: ${version} is too old, ${cmakeVersion.join('.')} is needed`);
  }
  if (!onPath('ninja') && !onPath('make')) {
    missing.push('ninja');
    problems.push('ninja or make: not found');
  }
  if (missing.length === 0) return compiler.path;
  throw new SetupError(
    `The build needs a C++20 compiler (GCC 11, Clang 14 or newer), cmake ${cmakeVersion.join('.')} or newer, ` +
      `and ninja or make.\n\n${problems.map((line) => `  ${line}`).join('\n')}\n\n${installLine(missing)}`,
  );
}

const probe = `#include <concepts>
#include <source_location>
#include <span>
static_assert(__cplusplus >= 202002L);
template <std::integral T> T twice(T value) { return value + value; }
int main() { return twice(0); }
`;

/** Returns the first compiler, in cmake's order, that compiles and links a C++20 program. */
async function findCompiler() {
  const names = process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++'];
  const problems = [];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-'));
  try {
    fs.writeFileSync(path.join(folder, 'probe.cc'), probe);
    for (const name of names) {
      const file = onPath(name);
      if (!file) {
        problems.push(`${name}: not found${process.env.CXX ? ' (named by CXX)' : ''}`);
        continue;
      }
      const { ok, problem, output } = await execute(file, ['-std=c++20', 'probe.cc', '-o', 'probe'], { cwd: folder });
      if (ok) return { path: file, problems };
      const why = output.split('\n').find((line) => /error/i.test(line)) ?? problem;
      problems.push(`${file}: does not compile C++20: ${why.trim()}`);
    }
    return { path: null, problems };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Returns the path of a command, or null. An absolute path is returned as it is. */
export function onPath(command) {
  const folders = command.includes('/') ? [''] : (process.env.PATH ?? '').split(':').filter(Boolean);
  for (const folder of folders) {
    const file = path.resolve(folder, command);
    if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  return null;
}

/** Package managers: the systems (by /etc/os-release) that have them, their install command, and their package names. */
const managers = [
  ['apt-get', ['debian', 'ubuntu'], 'sudo apt-get install -y', ['g++', 'cmake', 'ninja-build']],
  ['dnf', ['fedora', 'rhel', 'centos'], 'sudo dnf install -y', ['gcc-c++', 'cmake', 'ninja-build']],
  ['apk', ['alpine'], 'sudo apk add', ['g++', 'cmake', 'ninja']],
  ['pacman', ['arch'], 'sudo pacman -S --needed', ['gcc', 'cmake', 'ninja']],
  ['zypper', ['suse', 'opensuse'], 'sudo zypper install -y', ['gcc-c++', 'cmake', 'ninja']],
  ['brew', ['darwin'], 'brew install', ['llvm', 'cmake', 'ninja']],
];
const order = ['compiler', 'cmake', 'ninja'];

/** Returns the command that installs the missing tools. `osRelease` and `platform` are parameters for the tests. */
export function installLine(missing, osRelease = readText('/etc/os-release') ?? '', platform = process.platform) {
  const field = (name) => osRelease.match(new RegExp(`^${name}="?([^"\n]*)`, 'm'))?.[1] ?? '';
  const ids = platform === 'linux' ? `${field('ID')} ${field('ID_LIKE')}`.split(' ') : [platform];
  const manager =
    managers.find(([, systems]) => systems.some((system) => ids.includes(system))) ??
    managers.find(([name]) => onPath(name));
  if (!manager) return `Install: ${missing.join(', ')}`;
  const [, , command, packages] = manager;
  return `Install what is missing with:\n\n  ${command} ${missing.map((need) => packages[order.indexOf(need)]).join(' ')}`;
}

function atLeast(version, needed) {
  const parts = version.split('.').map(Number);
  for (const [index, least] of needed.entries()) {
    if (parts[index] !== least) return parts[index] > least;
  }
  return true;
}
