// Loading and saving a state of 1 GiB, and those of 10,000 and 100,000 small tensors, against torch.load and torch.save: both in turns,
// each in a process of its own, with the file in the system's cache. Also the peak of memory, and a plain write.
import fs from 'node:fs';
import path from 'node:path';
import { median, python, report, root, timed, workFolder } from './support.mjs';

const rounds = Number(process.argv[2] ?? 5);
const folder = workFolder();
const script = path.join(root, 'bench/children/state_files.py');
const child = path.join(root, 'bench/children/state-files.mjs');
const run = async (command, args) => JSON.parse((await timed(command, args)).output);

const figures = {};
for (const [name, count, size] of [
  ['large', 64, 2 ** 22],
  ['few', 10_000, 16],
  ['many', 100_000, 16],
]) {
  const file = path.join(folder, `${name}.pth`);
  await run(python(), [script, 'make', file, String(count), String(size)]);
  const times = { node: [], python: [], write: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [who, command, args] of [
      ['node', process.execPath, [child, file, path.join(folder, 'node.pth')]],
      ['python', python(), [script, 'load', file, path.join(folder, 'python.pth')]],
    ]) {
      times[who].push(await run(command, args));
      // What was written last must not be written back while the other is measured.
      fs.rmSync(args.at(-1));
    }
    times.write.push(plainWrite(path.join(folder, 'plain'), fs.statSync(file).size));
  }
  const of = (who, key) => median(times[who].map((time) => time[key]));
  figures[name] = {
    bytes: count * size * 4,
    load: [of('node', 'load'), of('python', 'load')],
    save: [of('node', 'save'), of('python', 'save')],
    write: median(times.write),
    peak: median(times.node.map(({ peak }) => peak)),
  };
  fs.rmSync(file);
}

/** Seconds to write as many bytes and sync them. */
function plainWrite(file, bytes) {
  const piece = Buffer.alloc(2 ** 20, 1);
  const started = performance.now();
  const descriptor = fs.openSync(file, 'w');
  for (let left = bytes; left > 0; left -= piece.length)
    fs.writeSync(descriptor, piece, 0, Math.min(left, piece.length));
  fs.fsyncSync(descriptor);
  fs.closeSync(descriptor);
  const seconds = (performance.now() - started) / 1000;
  fs.rmSync(file);
  return seconds;
}

const { large, few, many } = figures;
const pair = ([node, reference]) =>
  `${node.toFixed(2)} s in Node, ${reference.toFixed(2)} s in Python: ${(node / reference).toFixed(2)} of Python's time`;
report(
  'states on the disk',
  figures,
  `1 GiB: load ${pair(large.load)}; save ${large.save[0].toFixed(2)} s, ${(large.save[0] / large.write).toFixed(2)} times a plain ` +
    `write and fsync (${large.write.toFixed(2)} s; torch.save, without fsync, ${large.save[1].toFixed(2)} s); peak memory the tensors + ` +
    `${((large.peak - large.bytes) / 1e6).toFixed(0)} MB. 100,000 tensors: load ${pair(many.load)}; save ${pair(many.save)}; ` +
    `${(many.load[0] / few.load[0]).toFixed(1)} and ${(many.save[0] / few.save[0]).toFixed(1)} times what 10,000 take`,
);
