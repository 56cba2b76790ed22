// Provides a user with an empty cache, a new one for each test, for tests of `torch-incremental libtorch`.
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../support.mjs';

/** Skips the current suite if there is no build of libtorch for the platform. */
export function newHome() {
  const folder = temporaryFolder();
  const user = {
    /** Paths of other files in its folder, by name. */
    folder,
    /** The folder in XDG_CACHE_HOME. */
    home: '',
    /** The folder of builds. */
    cache: '',
    /** Environment of the commands. */
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
