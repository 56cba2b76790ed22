// Broken and hostile checkpoints of megabytes, and small ones that ask for very much.
import { temporaryFolder } from '../support.mjs';
import { isLarge, testFiles } from './suite.mjs';

describe('a large checkpoint that was made to', function () {
  this.timeout(900_000);
  testFiles(isLarge, temporaryFolder());
});
