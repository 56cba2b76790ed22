// Writes lib/models/zoo/fingerprints.ts, by which states of the zoo are recognised: `npm run setup && node scripts/fingerprints.mjs && npm run format`.
// A test fails where it is not up to date.
import fs from 'node:fs';
import path from 'node:path';
import { getModel, listModels } from '../dist/models/zoo/get-model.js';
import { fingerprintOf, firstOf } from '../dist/models/zoo/recognise-zoo.js';

const lines = listModels().map((name) => {
  const { tensors } = getModel(name);
  const shapes = new Map(tensors.map((tensor) => [tensor.name, tensor.shape]));
  return `  ${name}: ['${fingerprintOf(shapes)}', ${shapes.size}, '${firstOf(shapes)}'],`;
});
const file = path.join(import.meta.dirname, '../lib/models/zoo/fingerprints.ts');
fs.writeFileSync(
  file,
  `// Of each architecture: what tells its tensors apart, their number, and the first. Written by scripts/fingerprints.mjs.
export const fingerprints: Readonly<Record<string, readonly [digest: string, tensors: number, first: string]>> = {
${lines.join('\n')}
};
`,
);
