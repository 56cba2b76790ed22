// Computes SHA-256 of files, and reads and writes SHA256SUMS of a libtorch package, the list of its files in the format of
// `sha256sum -c`.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

export async function sha256Of(file) {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** `archive` and its `sha256`: the archive of the files. `sums`: a Map from a file's name to its checksum. */
export function writeSums(folder, { archive, sha256, sums }) {
  const lines = [`# ${archive}`, `# sha256 ${sha256}`, ...[...sums].map(([file, sum]) => `${sum}  ${file}`)];
  fs.writeFileSync(path.join(folder, 'SHA256SUMS'), `${lines.join('\n')}\n`);
}

export function readSums(folder) {
  const lines = fs.readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n');
  const [archive, sha256] = lines.slice(0, 2).map((line) => line.replace(/^# (sha256 )?/, ''));
  const sums = lines.slice(2).map((line) => line.match(/^([0-9a-f]{64}) {2}(\S+)$/).slice(1));
  return { archive, sha256, sums: new Map(sums.map(([sum, file]) => [file, sum])) };
}
