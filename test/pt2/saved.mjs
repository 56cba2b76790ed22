// Saves archives with other weights, and reads what was saved: for the tests of saved programs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { State } from 'torch-incremental';
import { withArchive } from '../../dist/pt2/archive.js';
import { readOrigin } from '../../dist/pt2/origin.js';
import { readProgram } from '../../dist/pt2/program.js';
import { writeProgram } from '../../dist/pt2/save-model.js';
import { written } from './archives.mjs';
import { model, node, ref } from './descriptions.mjs';

export const float = (shape, ...values) => ({ dtype: 'float32', shape, data: Float32Array.from(values) });

/** For the archive of model(). */
export const weights = {
  'fc.weight': float([2, 3], 1, 2, 3, 4, 5, 6),
  'fc.bias': float([2], 7, 8),
  shift: float([2], 9, 10),
  'fc.count': { dtype: 'int64', shape: [], data: BigInt64Array.of(11n) },
};

/** A description with these tensors, of which the graph uses the first. */
export const described = (tensors) => {
  const first = ref(`p_${Object.keys(tensors)[0]}`);
  const nodes = [node('torch.ops.aten.mul.Tensor', { self: ref('x'), other: first }, 'linear')];
  return model({ tensors, nodes, outputs: ['linear'], modules: [''] });
};

export const mismatch = (message) => ({ code: 'ERR_STATE_MISMATCH', message });

async function programsIn(opened) {
  const programs = [];
  for (const name of opened.programs) programs.push(await readProgram(opened, name));
  return programs;
}

/** All programs of a file, whatever a model makes of them. */
export const originAt = (file) => withArchive(file, async (opened) => readOrigin(opened, await programsIn(opened)));

/** Writes an archive, and saves it with the tensors of `state`. Returns the new file. */
export async function saved(at, content, state = weights, to = 'new name.pt2') {
  const origin = await originAt(written(at('net.pt2'), content));
  await writeProgram(at(to), origin, state instanceof State ? state : State.from(state));
  return at(to);
}

/** All programs of a file, and the values of their tensors. */
export const read = (file) =>
  withArchive(file, async (opened) => {
    const bytes = fs.readFileSync(file);
    const found = [];
    for (const { storages, ...program } of await programsIn(opened)) {
      const places = await Promise.all(storages.map((storage) => storage.place()));
      found.push({ program, values: program.tensors.map((tensor) => valuesOf(tensor, places[tensor.storage], bytes)) });
    }
    return found;
  });

function valuesOf({ dtype, offset, shape, stride }, place, bytes) {
  const type = dtype === 'int64' ? BigInt64Array : Float32Array;
  const all = new type(bytes.buffer.slice(place.offset, place.offset + place.bytes));
  let indices = [offset];
  for (const [axis, size] of shape.entries())
    indices = indices.flatMap((first) => Array.from({ length: size }, (_, i) => first + i * stride[axis]));
  return indices.map((index) => Number(all[index]));
}

/** The tensors of the only program as a state of float32 holds them. */
export async function stateIn(file) {
  const [{ program, values }] = await read(file);
  const tensors = program.state.map(({ name, tensor }) => [
    name,
    float(program.tensors[tensor].shape, ...values[tensor]),
  ]);
  return Object.fromEntries(tensors);
}

/** All records of an archive by their names, without its top folder, which is `root`. */
export async function recordsOf(file) {
  const bytes = fs.readFileSync(file);
  const names = [...listed(bytes)];
  const root = names[0].slice(0, names[0].indexOf('/') + 1);
  assert.ok(names.every((name) => name.startsWith(root)));
  return withArchive(file, async (opened) => {
    const records = new Map();
    for (const name of names.map((each) => each.slice(root.length))) {
      const place = await opened.place(name);
      records.set(name, bytes.subarray(place.offset, place.offset + place.bytes));
    }
    return { root, records };
  });
}

/** Names in the directory of a zip file. */
function* listed(bytes) {
  for (let at = bytes.readUInt32LE(bytes.length - 6); bytes.readUInt32LE(at) === 0x02014b50; ) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => bytes.readUInt16LE(at + offset));
    yield bytes.toString('utf8', at + 46, at + 46 + name);
    at += 46 + name + extra + comment;
  }
}
