// Prepares a release without publishing it: builds, packs both tarballs into build/release/, checks them, and prints the
// results. `npm run release:check`. The publishing workflow runs it with --publish, which adds checks. Exit code 1 if any check
// fails.
import fs from 'node:fs';
import path from 'node:path';
import Table from 'cli-table3';
import { buildFolder, root, say } from '../setup/steps.mjs';
import { checks, openRelease } from './checks/index.mjs';
import { makeTarballs, platform } from './pack.mjs';

const publishing = process.argv.includes('--publish');
const tarballs = await makeTarballs();
const folder = path.join(buildFolder, 'release', 'checked');
const context = await openRelease(tarballs, folder, { platform });

const results = [];
for (const [name, check] of Object.entries(checks)) results.push([name, await check(context)]);
if (publishing) results.push(['the fields that the registry shows and compares are set', forTheRegistry(context)]);

const table = new Table({ head: ['check', ''], style: { head: [], border: [] } });
for (const [name, problems] of results) table.push([name, problems.length === 0 ? 'ok' : problems.join('\n')]);
console.log(table.toString());
for (const file of Object.values(tarballs)) {
  const megabytes = (fs.statSync(file).size / 1e6).toFixed(1);
  console.log(`${path.relative(root, file)}  ${megabytes} MB`);
}
fs.rmSync(folder, { recursive: true });
const failed = results.filter(([, problems]) => problems.length > 0).length;
say(failed === 0 ? 'Ready to be published.' : `${failed} of ${results.length} checks failed: not to be published.`);
process.exitCode = failed === 0 ? 0 : 1;

/** Checked only when publishing, because npm compares `repository` with the repository of the workflow. */
function forTheRegistry({ main, libtorch, changelog }) {
  const problems = [main, libtorch]
    .filter(({ manifest }) => !manifest.repository?.url)
    .map(({ manifest }) => `${manifest.name} has no "repository", which npm's provenance needs`);
  if (/^## .*not released/m.test(changelog)) problems.push('CHANGELOG.md says that this version is not released');
  return problems;
}
