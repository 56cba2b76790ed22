// Checks the package of libtorch: its libraries are PyTorch's, it is installed only on platforms where they run, and it
// contains the licences of all parts.
import fs from 'node:fs';
import path from 'node:path';
import { sha256Of } from '../checksums.mjs';

export async function checksums({ libtorch, sums, sumsOf, archive }) {
  const problems =
    sumsOf === archive.sha256 ? [] : [`SHA256SUMS is of another archive than libtorch.json pins: ${sumsOf}`];
  for (const [file, sum] of sums) {
    const full = path.join(libtorch.folder, file);
    const found = fs.existsSync(full) ? await sha256Of(full) : 'missing';
    if (found !== sum) problems.push(`${file} is not PyTorch's: its SHA-256 is ${found}, expected ${sum}`);
  }
  return problems;
}

export function targets({ main, libtorch, platform }) {
  const [os, cpu] = platform.split('-');
  const expected = { os: [os], cpu: [cpu], ...(os === 'linux' && { libc: ['glibc'] }) };
  const problems = Object.entries(expected)
    .filter(([field, value]) => JSON.stringify(libtorch.manifest[field]) !== JSON.stringify(value))
    .map(([field, value]) => `${libtorch.manifest.name}: ${field} must be ${JSON.stringify(value)}`);
  if (libtorch.manifest.private) problems.push(`${libtorch.manifest.name} is private, so npm would not publish it`);
  // A project that depends on it must install on every machine of its team; an unsupported platform is an error at first use.
  for (const field of ['os', 'cpu', 'libc'])
    if (main.manifest[field])
      problems.push(`${main.manifest.name}: ${field} would keep it from being installed elsewhere`);
  for (const { manifest } of [main, libtorch])
    if (manifest.preferUnplugged !== true)
      problems.push(
        `${manifest.name}: without preferUnplugged, Yarn keeps libraries in a zip file, where none can be loaded`,
      );
  return problems;
}

export function notices({ libtorch }) {
  const notice = fs.readFileSync(path.join(libtorch.folder, 'NOTICE'), 'utf8');
  const named = new Set(notice.match(/licenses\/[\w.-]+\.txt/g));
  const there = libtorch.files.filter((file) => file.startsWith('licenses/'));
  return [
    ...[...named].filter((file) => !there.includes(file)).map((file) => `NOTICE names ${file}, which is missing`),
    ...there.filter((file) => !named.has(file)).map((file) => `NOTICE does not say whose licence ${file} is`),
  ];
}
