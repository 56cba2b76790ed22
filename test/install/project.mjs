// An empty folder outside the repository, into which a package manager installs the package from the local registry.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import library from '../../dist/index.js';
import { readmeProgram, temporaryFolder, writeCifar10 } from '../support.mjs';
import { call, makePath } from './machine.mjs';
import { managers } from './managers.mjs';
import { registry } from './registry.mjs';
import { newestNode, tool } from './tools.mjs';

const byDefault = 'npm 12 with its defaults';
export const main = 'torch-incremental';
export const libtorch = '@torch-incremental/libtorch-linux-x64-cpu';

/** Five steps of an epoch. */
const images = { train: 320, test: 200 };

let inputs;

/** data/ and pretrained_model.pth, made once and copied after that. */
async function fillWithInputs(folder) {
  if (!inputs) {
    inputs = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-inputs-'));
    writeCifar10(path.join(inputs, 'data'), images);
    const state = await library.createState(library.net(), { seed: 1 });
    await library.saveState(state, path.join(inputs, 'pretrained_model.pth'));
  }
  fs.cpSync(inputs, folder, { recursive: true });
}

after(() => inputs && fs.rmSync(inputs, { recursive: true, force: true }));

/**
 * Makes `folder` and installs into it. Skips the current test if a tool is missing. `steps` replaces the manager's own; `said` of
 * the result is their output.
 */
export async function install(test, folder, manager = byDefault, steps = managers[manager].steps) {
  const project = await openProject(test, folder, manager);
  const { url } = await registry(test);
  fs.mkdirSync(folder, { recursive: true });
  managers[manager].configure(folder, url);
  let said = '';
  for (const step of steps) {
    const { code, stdout, stderr } = await project.manage(step);
    if (code !== 0) throw new Error(`${manager} ${step.join(' ')} failed:\n${stdout}${stderr}`);
    said += stdout + stderr;
  }
  return { ...project, said };
}

/** Describes the project in `folder`: commands that can be run in it. */
export async function openProject(test, folder, manager = byDefault) {
  const { home } = await registry(test);
  const { tool: toolName, node: asNode, bin: asBin } = managers[manager];
  const file = await tool(test, toolName);
  /** Node as it is on the PATH, which holds little else. */
  const nodeOf = async (version) => makePath(path.join(home, 'bin', version), await tool(test, version));
  const command = (node) => (file.endsWith('.js') ? [node, file] : [file]);
  const run = (node, args, { env, ...more }) =>
    call(args, { cwd: folder, ...more, env: { PATH: path.dirname(node), HOME: home, LANG: 'C.UTF-8', ...env } });
  return {
    folder,
    /** The package manager itself, with network access. */
    async manage(args, more = {}) {
      const node = await nodeOf(newestNode);
      return run(node, [...command(node), ...args], { network: true, ...more });
    },
    /** Node from the tool of that name; `prefix` runs it. Installed programs run without a network. */
    async node(args, { version = newestNode, prefix = [], ...more } = {}) {
      const node = await nodeOf(version);
      return run(node, [...prefix, ...(asNode?.(command(node)) ?? [node]), ...args], more);
    },
    /** The command line of the package, as the package manager put it in place. */
    async bin(args, { version = newestNode, prefix = [], ...more } = {}) {
      const node = await nodeOf(version);
      const bin = asBin?.(command(node)) ?? [path.join(folder, 'node_modules/.bin', main)];
      return run(node, [...prefix, ...bin, ...args], more);
    },
    /** Never into the file that is there: another project may have it too. */
    write(name, text) {
      const file = path.join(folder, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.rmSync(file, { force: true });
      fs.writeFileSync(file, text);
    },
    /** A path inside node_modules/. */
    installed: (...names) => path.join(folder, 'node_modules', ...names),
  };
}

let shared;

/** A project installed once for all tests that change nothing in it, filled, and with README's program in app.mjs. */
export async function sharedProject(test) {
  const { home } = await registry(test);
  await tool(test, managers[byDefault].tool); // so that every test is skipped if it is missing, not only the first
  shared ??= install(test, path.join(home, '..', 'shared')).then(async (project) => {
    await fillWithInputs(project.folder);
    project.write('app.mjs', readmeProgram);
    return project;
  });
  return shared;
}

/** A copy of that project with hard links to its files. Never write into a file; replace it. */
export async function copyOfProject(test, folder) {
  const { folder: original } = await sharedProject(test);
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  execFileSync('cp', ['-al', original, folder]);
  return openProject(test, folder);
}

/** Makes a folder without a space in its name, as is usual. Call in describe(). */
export const projectsFolder = () => temporaryFolder('torch-incremental-projects-');

/** Returns the error of the package's first use in `project` as a plain object, or null. The process must survive it. */
export async function failureOf(project, { options = [], ...more } = {}) {
  project.write('first-use.mjs', firstUse);
  const { code, signal, stdout, stderr } = await project.node([...options, 'first-use.mjs'], more);
  if (code !== 0) throw new Error(`the process ended with ${signal ?? `exit code ${code}`}:\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** Works with bundlers too: no await outside a function. */
export const firstUse = `
import { createState, LearnError, net } from 'torch-incremental';
async function use() {
  try {
    await createState(net());
    return null;
  } catch (error) {
    const { name, code, message, attempts, remedies } = error;
    return { name, code, message, attempts, remedies, isLearnError: error instanceof LearnError };
  }
}
use().then((failure) => console.log(JSON.stringify(failure)));
`;
