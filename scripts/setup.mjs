// Sets up a checkout: npm packages, compiled TypeScript, libtorch, the addon. Does only what is needed, and nothing if nothing
// has changed. First part of `npm run demo`, `npm test` and `npm run lint`; alone: `npm run setup`.
import fs from 'node:fs';
import path from 'node:path';
import { buildAddon, hasBeenBuilt } from './setup/addon.mjs';
import { provideLibtorch } from './setup/libtorch.mjs';
import { compileTypeScript, installPackages } from './setup/packages.mjs';
import { buildFolder, logFile, SetupError, say, withLock } from './setup/steps.mjs';
import { checkNode, checkToolchain } from './setup/toolchain.mjs';

try {
  checkNode();
  await withLock(path.join(buildFolder, 'setup.lock'), async () => {
    if (!hasBeenBuilt()) {
      fs.rmSync(logFile, { force: true });
      await checkToolchain();
    }
    await installPackages();
    await compileTypeScript();
    await buildAddon(await provideLibtorch());
  });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(`\nThe setup did not finish. ${error.message}\n`);
  process.exitCode = 1;
}
