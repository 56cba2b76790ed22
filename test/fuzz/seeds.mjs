// Provides the initial files: PyTorch's checkpoints in test/golden, those of python.py if there is a Python, and
// their parts.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { python, root } from '../support.mjs';
import { putTogether, takeApart } from './instructions.mjs';

const folder = path.join(root, 'test/golden/checkpoints');

/** Writes Python's honest files into a folder. */
export function writeSeeds(to) {
  execFileSync(python, [path.join(import.meta.dirname, 'python.py'), 'seeds', to]);
}

const read = (from, wanted) =>
  fs
    .readdirSync(from)
    .sort()
    .filter((name) => wanted.test(name))
    .map((name) => fs.readFileSync(path.join(from, name)));

/** Returns whole files by kind. `from`: a folder of additional honest files. */
export function goodFiles(from) {
  const zips = read(folder, /^(?!.*json)/);
  if (from === undefined) return { zip: zips, legacy: [], safetensors: [] };
  return {
    zip: [...zips, ...read(from, /\.pth$/)],
    legacy: read(from, /\.legacy$/),
    safetensors: read(from, /\.safetensors$/),
  };
}

const known = new WeakMap();

/** Returns the pickle and the storages of each zip file: { pickle, storages: [name, bytes][], records: [name, bytes][] }. */
export function goodPickles({ zip }) {
  if (!known.has(zip)) known.set(zip, zip.map(unzipped));
  return known.get(zip);
}

/** Reads records of files as torch.save writes them: stored, with a directory at the end. */
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
  return { pickle, storages: found.filter(([name]) => name.startsWith('data/')), records: found };
}

const streams = new WeakMap();

/** Returns the five pickles and the storages of legacy streams. Keys are addresses in Python; here they are small numbers. */
export function goodStreams({ legacy }) {
  if (!streams.has(legacy)) streams.set(legacy, legacy.map(apart));
  return streams.get(legacy);
}

function apart(file) {
  const pickles = [];
  let at = 0;
  while (pickles.length < 5) {
    const list = takeApart(file.subarray(at));
    at += putTogether(list).length;
    pickles.push(list);
  }
  const keys = pickles[4].filter(({ name }) => name === 'BINUNICODE').map(({ operand }) => operand.toString());
  for (const instruction of pickles.flat()) {
    const number = instruction.name === 'BINUNICODE' ? keys.indexOf(instruction.operand.toString()) : -1;
    if (number >= 0) instruction.operand = Buffer.from(String(70 + number));
  }
  return { pickles: pickles.map(putTogether), storages: file.subarray(at) };
}
