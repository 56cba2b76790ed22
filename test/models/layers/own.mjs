// The models of layers_own.py, made by the code of docs/layers.md.
import fs from 'node:fs';
import path from 'node:path';
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
export const ownLayers = Object.fromEntries(
  ['scaled_tanh', 'gated', 'joined'].map((name, i) => [name, () => models[i]]),
);
