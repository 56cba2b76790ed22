// Imitates the machine of a user: a PATH with Node and a shell but no compiler, cmake or Python, an
// environment with nothing of ours in it, and no network.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { outcomeOf } from '../cli/run.mjs';

/** Programs called by npm and by the files in node_modules/.bin. */
const programs = ['sh', 'env', 'basename', 'cat', 'dirname', 'readlink', 'sed', 'uname'];

/** Makes `folder` hold `node` and the programs above, and nothing else; any user may run them. Returns Node's path. */
export function makePath(folder, node) {
  const own = path.join(folder, 'node');
  if (fs.existsSync(own)) return own;
  fs.mkdirSync(folder, { recursive: true });
  for (const name of programs) fs.symlinkSync(which(name), path.join(folder, name));
  try {
    fs.linkSync(node, own);
  } catch {
    fs.copyFileSync(node, own); // the cache is on another disk
  }
  return own;
}

export function which(name) {
  const found = process.env.PATH.split(':').find((folder) => fs.existsSync(path.join(folder, name)));
  if (found === undefined) throw new Error(`${name} is not on the PATH, and the tests of installing need it`);
  return path.join(found, name);
}

/** Runs a command in an environment that has only these variables: { code, signal, stdout, stderr, left }. */
export async function call([command, ...args], { cwd, env, network = false, seconds = 120 }) {
  const [program, ...rest] = network ? [command, ...args] : [...withoutNetwork(), command, ...args];
  const options = { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000, detached: true };
  const child = spawn(program, rest, options);
  const outcome = await outcomeOf(child);
  return { ...outcome, left: processesOf(child.pid) };
}

/** Returns the remaining processes of the session that a process began: state and name of each, such as 'Z (node)'. */
function processesOf(session) {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name, state, rest] = /^\d+ (\(.*\)) (\S) (.*)$/s.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
        return rest.split(' ')[2] === `${session}` ? [`${state} ${name}`] : [];
      } catch {
        return []; // it has ended in the meantime
      }
    });
}

let prefix;

/** Returns the prefix of a command without network access; nothing, reported once, if this user may not do that. */
function withoutNetwork() {
  // Root may do it; other users may in their own user namespace, under their own id, so that they get no more rights.
  prefix ??= [['-n'], ['-cn']]
    .map((options) => ['unshare', ...options])
    .find(([command, ...options]) => spawnSync(command, [...options, 'true']).status === 0)
    ?.with(0, which('unshare'));
  if (prefix === undefined) {
    console.warn('      what is installed is run with a network: unshare may not take it away here');
    prefix = [];
  }
  return prefix;
}
