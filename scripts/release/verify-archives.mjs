// Fetches every archive that libtorch.json pins and compares its checksum, to check that it still exists and is unchanged. Run
// every week by .github/workflows/archives.yml.
import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pinnedArchives } from './pin.mjs';

/** Returns the problems as sentences. Archives are not stored, because those with CUDA have gigabytes. */
export async function verifyArchives(archives) {
  const problems = [];
  for (const { url, sha256 } of archives) {
    const found = await sha256At(url).catch((error) => (error.cause ?? error).message);
    if (found !== sha256) problems.push(`${url}: ${found}, expected ${sha256}`);
  }
  return problems;
}

async function sha256At(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const hash = createHash('sha256');
  const sink = new Writable({ write: (chunk, _, done) => done(hash.update(chunk) && null) });
  await pipeline(response.body, sink);
  return hash.digest('hex');
}

if (process.argv[1] === import.meta.filename) {
  const archives = pinnedArchives();
  const problems = await verifyArchives(archives);
  console.log(problems.length === 0 ? `${archives.length} archives agree with libtorch.json.` : problems.join('\n'));
  process.exitCode = problems.length === 0 ? 0 : 1;
}
