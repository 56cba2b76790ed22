// Members, made from the recipes of CONTRIBUTING alone and used; where they have a side in C++, with an addon that is compiled for them.
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
  console.log(Array.from(inputs.input.data, (value) => Math.round((value * 255) / 20)).join(' '));`;

const learned = `
import { arrays, createState, linear, quarticLoss, sequential, sgd, trainIncremental } from 'torch-incremental';
const model = sequential({ fc: linear(1, 1) });
const targets = { data: Float32Array.of(2, -1) };
const data = arrays({ inputs: { input: { data: Float32Array.of(1, 3), shape: [1] } }, targets });
const state = await createState(model, { seed: 0 });
let loss;
const onProgress = (event) => event.type === 'epoch' && ({ loss } = event);
const optimizer = sgd({ learningRate: 0 });
await trainIncremental(state, { model, data, epochs: 1, batchSize: 2, optimizer, loss: quarticLoss(), onProgress });
const [weight, bias] = ['fc.weight', 'fc.bias'].map((name) => state.tensor(name).data[0]);
const expected = ((weight + bias - 2) ** 4 + (3 * weight + bias + 1) ** 4) / 2;
console.log(Math.abs(loss / expected - 1) < 1e-5);`;

const stepped = `
import { arrays, createState, linear, sequential, signDescent, trainIncremental } from 'torch-incremental';
const model = sequential({ fc: linear(2, 2) });
const data = arrays({ inputs: Float32Array.from([1, 0, 0, 1]), labels: [0, 1], shape: [2] });
const before = await createState(model, { seed: 0 });
const options = { model, data, epochs: 1, batchSize: 2, optimizer: signDescent({ learningRate: 0.25 }) };
const { state } = await trainIncremental(before, options);
const weights = (of) => of.tensor('fc.weight').data;
console.log(Array.from(weights(state), (value, i) => (value - weights(before)[i]).toFixed(4)).join(' '));`;

describe('a member that is used', function () {
  this.timeout(900_000);
  const temporary = temporaryFolder('torch-incremental-recipes-');
  const recipes = readRecipes();

  /** What a program prints in a copy of the project with this member. `changed`: C++ files that are compiled for it, if any. */
  function printedWith(added, program, changed = [], like = undefined) {
    const folder = temporary(added);
    copyProject(folder);
    follow(folder, recipes.get(added), members[added]);
    compile(folder);
    return execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        ...(changed.length > 0 && { TORCH_INCREMENTAL_ADDON: path.resolve(compileAddon(folder, changed, like)) }),
      },
    });
  }

  it('is a transform by the recipe of CONTRIBUTING', () => {
    const changed = ['src/transforms/half_turn.cc', 'src/transforms/geometry.cc'];
    const printed = printedWith('a transform', turned, changed, 'src/transforms/flip.cc');
    assert.equal(printed, '3 2 1 0 7 6 5 4 11 10 9 8\n');
  });

  it('is a loss by the recipe of CONTRIBUTING', () => {
    const printed = printedWith('a loss', learned);
    assert.equal(printed, 'true\n');
  });

  it('is an optimizer by the recipe of CONTRIBUTING', () => {
    const changed = ['src/optimizers/sign_descent.cc', 'src/optimizers/optimizers.cc'];
    const printed = printedWith('an optimizer', stepped, changed, 'src/optimizers/adamax.cc');
    assert.equal(printed, '0.2500 -0.2500 -0.2500 0.2500\n');
  });
});
