// Installs the programs that these tests run and that are not part of the project: a registry, package managers, Nodes. tools.json
// pins them; each is installed once, into the user's cache. They are no devDependencies: a registry alone is 280 packages.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute, say, withLock } from '../../scripts/setup/steps.mjs';

const tools = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'tools.json'), 'utf8'));
const cache = path.join(
  process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'),
  'torch-incremental/test-tools',
);

/** All tools of a kind in tools.json: ['node 20', 'node 22', …] for 'node'. */
export const toolsNamed = (kind) => Object.keys(tools).filter((name) => name.startsWith(`${kind} `));

/** The newest Node, on which package managers and the registry run. */
export const newestNode = toolsNamed('node').at(-1);

const found = new Map();

/** Returns the path of a tool's file. Skips the current test, and reports once why, if the registry does not have it. */
export async function tool(test, name) {
  if (!found.has(name)) found.set(name, provide(name));
  const file = await found.get(name);
  if (file === null) test.skip();
  return file;
}

let answers;

/** Skips the current test, and reports once why, if npm's configured registry does not answer. */
export async function needsUpstream(test) {
  answers ??= execute('npm', ['view', 'npm', 'name', '--fetch-retries=0', '--fetch-timeout=20000']).then(
    ({ ok, output }) => {
      if (!ok)
        console.warn(`      tests that install packages are skipped: npm's registry gives none: ${lastError(output)}`);
      return ok;
    },
  );
  if (!(await answers)) test.skip();
}

async function provide(name) {
  const spec = tools[name];
  const hash = createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 16);
  const folder = path.join(cache, `${name.replace(' ', '-')}-${hash}`);
  const file = path.join(folder, 'node_modules', spec.package, spec.file);
  if (fs.existsSync(file)) return file;
  return withLock(`${folder}.lock`, async () => {
    if (fs.existsSync(file)) return file;
    const failure = await install(spec, folder);
    if (failure === null) return file;
    if (!/\b(E404|ETARGET)\b/.test(failure)) throw new Error(`${name} cannot be installed for the tests:\n${failure}`);
    console.warn(`      tests that need ${name} (${spec.package}@${spec.version}) are skipped: ${lastError(failure)}`);
    return null;
  });
}

/** Installs atomically. Returns null, or npm's output. */
async function install({ package: name, version, overrides = {} }, folder) {
  const unfinished = `${folder}.unfinished`;
  fs.rmSync(unfinished, { recursive: true, force: true });
  fs.mkdirSync(unfinished, { recursive: true });
  const manifest = { private: true, dependencies: { [name]: version }, overrides };
  fs.writeFileSync(path.join(unfinished, 'package.json'), JSON.stringify(manifest));
  say(`Installing ${name} ${version} for the tests …`);
  const options = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { ok, output } = await execute('npm', options, { cwd: unfinished });
  if (!ok) {
    fs.rmSync(unfinished, { recursive: true, force: true });
    return output;
  }
  fs.renameSync(unfinished, folder);
  return null;
}

const lastError = (output) => /npm error (?:notarget |404 )?([A-Z][a-z].+)/.exec(output)?.[1] ?? output.trim();
