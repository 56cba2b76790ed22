// For tests of `torch-incremental libtorch`: a user whose cache is empty, a new one for each test.
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support.mjs';

/** Skips the suite in hand where there is no build of libtorch for the platform. */
export function newHome() {
  const folder = temporaryFolder();
  const user = {
    /** For files beside it, by their names. */
    folder,
    /** What XDG_CACHE_HOME names. */
    home: '',
    /** Where builds go. */
    cache: '',
    /** Of the commands. */
    env: {},
  };

  before(function () {
    if (`${process.platform}-${process.arch}` !== 'linux-x64') this.skip();
  });

  beforeEach(() => {
    user.home = fs.mkdtempSync(folder('é home-'));
    user.cache = path.join(user.home, 'torch-incremental', 'libtorch');
    user.env = { XDG_CACHE_HOME: user.home, TORCH_INCREMENTAL_LIBTORCH: undefined, LIBTORCH: undefined };
  });

  return user;
}
