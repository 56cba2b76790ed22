// Renews the golden values of detectors.json: TORCH_INCREMENTAL_RIVER=python node test/golden/renew-detectors.mjs
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { casesFrom } from './detector-cases.mjs';

const here = (name) => new URL(name, import.meta.url);

function run(args, input) {
  const python = process.env.TORCH_INCREMENTAL_RIVER ?? 'python3';
  const { status, stdout, stderr } = spawnSync(python, args, { input, maxBuffer: 2 ** 28, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const versions = 'import importlib.metadata as m; print(*(f"{n} {m.version(n)}" for n in ("river", "scipy")))';
const cases = casesFrom(1);
const outcomes = JSON.parse(run([here('detectors.py').pathname], JSON.stringify(cases)));
const lines = cases.map(({ name }, i) => `  ${JSON.stringify(name)}: ${JSON.stringify(outcomes[i])}`);
const made = run(['-c', versions]).trim();
fs.writeFileSync(here('detectors.json'), `{\n "made": "${made}",\n "outcomes": {\n${lines.join(',\n')}\n }\n}\n`);
