// Members that have a side in C++, compiled into an addon from the recipes of CONTRIBUTING alone, and used.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { temporaryFolder } from '../support.mjs';
import { compile, compileAddon, copyProject, follow, readRecipes } from './copy.mjs';
import { members } from './members.mjs';

const turned = `
import { arrays, batches, halfTurn, toTensor } from 'torch-incremental';
const data = arrays({ inputs: Uint8Array.from({ length: 12 }, (_, i) => i * 20), labels: [0], shape: [3, 2, 2] });
for await (const { inputs } of batches(data, { transforms: [halfTurn(1), toTensor()] }))
  console.log(Array.from(inputs, (value) => Math.round((value * 255) / 20)).join(' '));`;

describe('a member that is written in C++ too', function () {
  this.timeout(900_000);
  const temporary = temporaryFolder('torch-incremental-recipes-');
  const recipes = readRecipes();

  it('is a transform by the recipe of CONTRIBUTING', () => {
    const folder = temporary('copy');
    copyProject(folder);
    const recipe = recipes.get('a transform');
    follow(folder, recipe, members['a transform']);
    compile(folder);
    const addon = compileAddon(
      folder,
      ['src/transforms/half_turn.cc', 'src/transforms/geometry.cc'],
      'src/transforms/flip.cc',
    );
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', turned], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TORCH_INCREMENTAL_ADDON: path.resolve(addon) },
    });
    assert.equal(printed, '3 2 1 0 7 6 5 4 11 10 9 8\n');
  });
});
