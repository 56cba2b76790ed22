// The models of layers_own.py: those of docs/layers.md, made by its code, and those of two inputs.
import fs from 'node:fs';
import path from 'node:path';
import { bilinear, sequential } from 'torch-incremental';
import { root } from '../../support.mjs';

const text = fs.readFileSync(path.join(root, 'docs/layers.md'), 'utf8');
const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);

/** Runs a block of code as a module, which ends with `const model = …`. */
async function modelOf(code) {
  const here = code.replace("'torch-incremental'", JSON.stringify(import.meta.resolve('torch-incremental')));
  const module = `${here}\nexport { model };`;
  return (await import(`data:text/javascript,${encodeURIComponent(module)}`)).model;
}

const models = await Promise.all(blocks.map(modelOf));
const inputs = { features: { shape: [8] }, extras: { shape: [3] } };
export const ownLayers = {
  ...Object.fromEntries(['scaled_tanh', 'gated', 'joined'].map((name, i) => [name, () => models[i]])),
  bilinear: () => sequential({ join: bilinear(8, 3, 2, { second: 'extras' }) }, { inputs }),
  bilinear_plain: () => sequential({ join: bilinear(8, 3, 2, { second: 'extras', bias: false }) }, { inputs }),
};
