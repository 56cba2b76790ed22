// What the fuzzers begin with: the checkpoints that PyTorch made, and what is in them.
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../support.mjs';

const folder = path.join(root, 'test/golden/checkpoints');

export function goodFiles() {
  return fs
    .readdirSync(folder)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => fs.readFileSync(path.join(folder, name)));
}

const known = new WeakMap();

/** The pickle and the storages of each zip file: { pickle, storages: [name, bytes][] }. */
export function goodPickles(files) {
  if (!known.has(files)) known.set(files, files.map(unzipped));
  return known.get(files);
}

/** Of files as torch.save writes them: stored, described by a directory at their end. */
function unzipped(file) {
  const found = [];
  const end = file.lastIndexOf('PK\x05\x06');
  let at = file.readUInt32LE(end + 16);
  for (let i = 0; i < file.readUInt16LE(end + 10); i++) {
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => file.readUInt16LE(at + field));
    const name = file.toString('utf8', at + 46, at + 46 + nameBytes);
    const header = file.readUInt32LE(at + 42);
    const start = header + 30 + file.readUInt16LE(header + 26) + file.readUInt16LE(header + 28);
    found.push([name.slice(name.indexOf('/') + 1), file.subarray(start, start + file.readUInt32LE(at + 24))]);
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  const [, pickle] = found.find(([name]) => name === 'data.pkl');
  return { pickle, storages: found.filter(([name]) => name.startsWith('data/')) };
}
