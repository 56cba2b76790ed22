// Broken and hostile checkpoints of all classes, but for those of megabytes: attacks.long.test.mjs has them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { needs, runPython, temporaryFolder } from '../support.mjs';
import { isLarge, testFiles } from './suite.mjs';

describe('a checkpoint that was made to', function () {
  this.timeout(900_000);
  const temporary = temporaryFolder();
  const files = testFiles((file) => !isLarge(file), temporary);

  it('run code would run it in a loader that trusts files', function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const { file } = files.find(({ name }) => name === 'in place of a tensor: os.system');
    fs.mkdirSync(temporary('there'));
    runPython('-c', [
      `import os, sys, torch; os.chdir(sys.argv[1]); torch.load(sys.argv[2], weights_only=False)`,
      temporary('there'),
      file,
    ]);
    assert.deepEqual(fs.readdirSync(temporary('there')), ['canary']);
  });
});
