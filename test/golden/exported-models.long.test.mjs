// Models that PyTorch exports, trained here: losses, states and outputs are PyTorch's bits. `npm run check:models` has the whole list.
import assert from 'node:assert/strict';
import { compareModel } from '../models/compare.mjs';
import { exceptions } from '../models/exceptions.mjs';
import { pythonForTests } from '../models/worker.mjs';
import { temporaryFolder } from '../support.mjs';

/** The first of torchvision's in the list, which are small and unlike each other. */
const counts = { plain: undefined, torchvision: 15 };

describe('models that torch.export exports', function () {
  this.timeout(900_000);
  const at = temporaryFolder();
  const worker = pythonForTests();

  for (const [group, count] of Object.entries(counts))
    it(`${count === undefined ? 'all' : `${count} of`} ${group} are trained bit for bit, but for the exceptions`, async () => {
      const { result } = await worker.ask({ do: 'list', group });
      assert.equal(result[group].missing, null);
      const names = result[group].models.slice(0, count);
      assert.ok(names.length >= (count ?? 50));
      const wrong = [];
      for (const name of names) {
        const { verdict, reasons } = await compareModel(worker, name, at(name));
        const [expected] = exceptions[name] ?? ['equal'];
        if (verdict !== expected) wrong.push(`${name}: ${verdict}: ${reasons.join('; ')}`);
      }
      assert.deepEqual(wrong, []);
    });
});
