// All architectures of the zoo but the largest against torchvision, and of the largest their tensors: names, shapes and the metadata of the state dict.
import assert from 'node:assert/strict';
import { builtDifferences } from '../models/compare.mjs';
import { pythonForTests } from '../models/worker.mjs';
import { temporaryFolder } from '../support.mjs';
import { largest, made, others } from './zoo-support.mjs';

describe('architectures of torchvision, but the small ones', function () {
  this.timeout(600_000);
  const at = temporaryFolder();
  const worker = pythonForTests();

  for (const name of others)
    it(`${name} is initialised, trained and evaluated as in Python`, async () => {
      const model = made(name);
      assert.deepEqual(await builtDifferences(worker, `zoo_${name}`, model, at(name)), []);
    });

  for (const name of largest)
    it(`${name} has the tensors and modules that it has in Python`, async () => {
      const { ok, result, message } = await worker.ask({ do: 'describe', model: `zoo_${name}` });
      assert.ok(ok, message);
      const { tensors, modules } = made(name);
      assert.deepEqual(
        tensors.map((tensor) => [tensor.name, tensor.dtype, [...tensor.shape]]),
        result.tensors,
      );
      assert.deepEqual(modules, result.modules);
    });
});
