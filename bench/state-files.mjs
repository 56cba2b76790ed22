// Loading and saving a state of 1 GiB, and those of 10,000 and 100,000 small tensors, against torch.load and torch.save: both in turns,
// each in a process of its own, with the file in the system's cache. Also the peak of memory, and a plain write.
import fs from 'node:fs';
import path from 'node:path';
import { report } from './report.mjs';
import { median, python, root, settings, timed, workFolder } from './support.mjs';

const { rounds } = settings({ rounds: 3 });
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
const seconds = (value) => value.toFixed(2);
const rows = [
  ['1 GiB in 64 tensors', large],
  ['100,000 tensors', many],
].flatMap(([what, { load, save, write }]) => [
  [`load ${what}`, ...load.map(seconds), seconds(load[0] / load[1]), ''],
  // Ours is on the disk when it returns; torch.save leaves that to the system.
  [`save ${what}`, ...save.map(seconds), seconds(save[0] / save[1]), seconds(save[0] / write)],
]);
report('States on the disk', {
  sentence:
    `loading 1 GiB takes ${seconds(large.load[0] / large.load[1])} of torch.load's time, with at most ` +
    `${((large.peak - large.bytes) / 1e6).toFixed(0)} MB beside the tensors; 100,000 tensors take ` +
    `${(many.load[0] / few.load[0]).toFixed(1)} times as long to load and ${(many.save[0] / few.save[0]).toFixed(1)} times to save as 10,000`,
  figures,
  tables: [{ columns: ['', 'Node, s', 'Python, s', "of Python's", 'of a plain write and fsync'], rows }],
});
