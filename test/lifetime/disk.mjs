// A disk that fails on demand, and one that loses power: fixtures/faults.c, which is compiled here, and the remains of a folder in
// which only synced data are certain, under names whose folder was synced.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../support.mjs';

const source = path.join(root, 'test/lifetime/fixtures/faults.c');

/** Compiles the library that stands between a process and its files. Where there is no compiler, says so and skips the test. */
export function compileFaults(test, library) {
  const compiler = process.env.CC ?? 'cc';
  const { status, error, stderr } = spawnSync(compiler, [
    '-O1',
    '-shared',
    '-fPIC',
    '-o',
    library,
    source,
    '-lpthread',
  ]);
  if (status === 0) return library;
  if (!error) throw new Error(`${source} does not compile: ${stderr}`);
  console.warn(`      skipped: there is no compiler, ${compiler}`);
  return test.skip();
}

/** Runs a script of fixtures/ with the library before it; resolves with what it said, line by line. */
export async function runPreloaded(library, script, given, environment) {
  const child = spawn(process.execPath, ['--no-warnings', path.join(root, 'test/lifetime/fixtures', script)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, UV_USE_IO_URING: '0', LD_PRELOAD: library, ...environment },
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (more) => {
      text[stream] += more;
    });
  }
  child.stdin.end(JSON.stringify(given));
  const status = await new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)));
  if (status !== 0) throw new Error(`${script} ended with ${status}: ${text.stderr}`);
  return text.stdout.split('\n').slice(0, -1);
}

export const operations = { write: 1, fsync: 2, rename: 3, open: 4, truncate: 5, unlink: 6 };
const never = 2 ** 31 - 1;

/** The file that says which calls fail. */
export class Control {
  #descriptor;

  static create(file) {
    fs.writeFileSync(file, Buffer.alloc(128));
    return file;
  }

  constructor(file) {
    this.#descriptor = fs.openSync(file, 'r+');
  }

  /** Lets calls of an operation fail, on files whose names contain `pattern`: after `skip` of them, once or for ever. */
  arm({ operation, error, pattern, skip = 0, forever = false, half = false }) {
    const bytes = Buffer.alloc(128);
    const numbers = [operations[operation], os.constants.errno[error], skip, forever ? never : 1, Number(half), 0];
    for (const [i, number] of numbers.entries()) bytes.writeInt32LE(number, 4 * i);
    bytes.write(pattern, 24, 'latin1');
    fs.writeSync(this.#descriptor, bytes, 0, 128, 0);
  }

  /** Returns how many calls have failed. */
  disarm() {
    const bytes = Buffer.alloc(128);
    fs.readSync(this.#descriptor, bytes, 0, 128, 0);
    fs.writeSync(this.#descriptor, Buffer.alloc(128), 0, 128, 0);
    return bytes.readInt32LE(20);
  }
}

const names = [
  undefined,
  'write',
  'sync',
  'rename',
  'open',
  'truncate',
  'unlink',
  'mkdir',
  'rmdir',
  'synced',
  'create',
];

/** The entries of a log of changes, in the order of their effects. */
export function readLog(file) {
  const bytes = fs.readFileSync(file);
  const entries = [];
  for (let at = 0; at < bytes.length; ) {
    const [operation, nameBytes, dataBytes] = [0, 4, 8].map((offset) => bytes.readUInt32LE(at + offset));
    const [number, offset, ms] = [16, 24, 32].map((place) => Number(bytes.readBigUInt64LE(at + place)));
    const name = bytes.subarray(at + 40, at + 40 + nameBytes).toString();
    const data = bytes.subarray(at + 40 + nameBytes, at + 40 + nameBytes + dataBytes);
    entries.push({ kind: names[operation], name, data, number, offset, ms });
    at += 40 + nameBytes + dataBytes;
  }
  return entries;
}

/**
 * Makes in `target` a possible state of `folder` after a loss of power that follows the first `length` entries: everything that was
 * synced, and of the rest each change for which `survives()` returns so, of a write also a part.
 */
export function afterLossOfPower(entries, length, folder, target, survives) {
  const disk = new Disk();
  for (const entry of entries.slice(0, length)) disk.apply(entry);
  disk.lose(survives);
  disk.build(folder, target);
}

class Disk {
  /** Files and folders by their numbers. What was removed keeps its changes: a loss of power may undo that. */
  #byNumber = new Map();
  /** What the process sees, and what is sure to be there, by path. */
  #seen = new Map();
  #sure = new Map();
  /** Changes to names, by their folders, that are not sure yet. */
  #pending = [];
  #count = 0;

  apply({ kind, name, data, number, offset }) {
    const order = this.#count++;
    switch (kind) {
      case 'create': {
        const file = { sure: Buffer.alloc(0), pending: [] };
        this.#byNumber.set(number, file);
        return this.#name(order, name, file);
      }
      case 'mkdir':
        return this.#name(order, name, { isFolder: true });
      case 'unlink':
      case 'rmdir':
        return this.#name(order, name, undefined);
      case 'rename': {
        const file = this.#seen.get(name);
        this.#pending.push({
          order,
          changes: [
            [name, undefined],
            [data.toString(), file],
          ],
        });
        this.#seen.delete(name);
        this.#seen.set(data.toString(), file);
        return;
      }
      case 'write':
      case 'truncate':
        this.#byNumber.get(number)?.pending.push({ order, kind, offset, data });
        return;
      case 'sync':
        this.#begun.set(`${number} ${name}`, order);
        return;
      case 'synced':
        return this.#synced(name, number, this.#begun.get(`${number} ${name}`));
    }
  }

  #begun = new Map();

  #name(order, name, file) {
    this.#pending.push({ order, changes: [[name, file]] });
    if (file) this.#seen.set(name, file);
    else this.#seen.delete(name);
  }

  /** What came before the sync began is sure now. */
  #synced(name, number, begun) {
    const file = this.#byNumber.get(number);
    if (file && this.#seen.get(name)?.isFolder !== true) {
      for (const change of file.pending.filter(({ order }) => order < begun)) file.sure = changed(file.sure, change);
      file.pending = file.pending.filter(({ order }) => order > begun);
      return;
    }
    const isOfFolder = ({ order, changes }) => order < begun && changes.some(([one]) => path.dirname(one) === name);
    for (const { changes } of this.#pending.filter(isOfFolder)) this.#apply(changes);
    this.#pending = this.#pending.filter((change) => !isOfFolder(change));
  }

  #apply(changes) {
    for (const [name, file] of changes) {
      if (file) this.#sure.set(name, file);
      else this.#sure.delete(name);
    }
  }

  lose(survives) {
    for (const { changes } of this.#pending) if (survives() === 'whole') this.#apply(changes);
    for (const file of new Set([...this.#sure.values()])) {
      for (const change of file.pending ?? []) file.sure = changed(file.sure, change, survives());
    }
  }

  build(folder, target) {
    fs.mkdirSync(target);
    const inOrder = [...this.#sure]
      .filter(([name]) => name.startsWith(`${folder}/`))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [name, file] of inOrder) {
      const to = path.join(target, path.relative(folder, name));
      // Of a folder whose own name was lost, all is lost.
      if (!fs.existsSync(path.dirname(to))) continue;
      if (file.isFolder) fs.mkdirSync(to);
      else fs.writeFileSync(to, file.sure);
    }
  }
}

/** A file after a change, of which all, a part, zeros or nothing reached the disk. */
function changed(bytes, { kind, offset, data }, how = 'whole') {
  if (how === 'nothing') return bytes;
  if (kind === 'truncate') {
    if (how !== 'whole') return bytes;
    return Buffer.concat([bytes.subarray(0, offset)], offset);
  }
  const put = how === 'part' ? data.subarray(0, data.length >> 1) : how === 'zeros' ? Buffer.alloc(data.length) : data;
  const result = Buffer.alloc(Math.max(bytes.length, offset + put.length));
  bytes.copy(result);
  Buffer.from(put).copy(result, offset);
  return result;
}
