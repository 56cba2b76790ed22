// `torch-incremental libtorch use`: records which build is used, and removes that choice.
import fs from 'node:fs';
import path from 'node:path';
import { LearnError } from '../../../core/errors';
import { checkBuild } from '../../../install/check-build';
import { forgetChoice, writeChoice } from '../../../install/choice';
import { libtorchIn, variantFolder } from '../../../libtorch/cache';
import { variantsOf } from '../../../libtorch/manifest';
import { findPythonTorch } from '../../../libtorch/python';
import { command as define } from '../../command';
import { useFolder, variantNamed, warnOfVariables } from '../../libtorch';

export const command = define({
  name: 'libtorch use',
  description: [
    'Chooses the build that is used from now on: an installed variant, a folder that',
    'contains lib/libtorch.so, or the torch of python3 (or of the Python that',
    'TORCH_INCREMENTAL_PYTHON names). If it is missing later, that is an error: no',
    'other build is used instead. auto removes the choice: then a CUDA build is used',
    'if a driver runs it, otherwise the CPU build.',
  ].join('\n'),
  argument: 'build',
  options: {},
  examples: ['libtorch use cu130', 'libtorch use ./libtorch', 'libtorch use python', 'libtorch use auto'],
  async run(build, _, { terminal, signal }) {
    if (build === 'auto') {
      terminal.print((await forgetChoice()) ? 'The choice was removed' : 'Nothing had been chosen');
    } else if (build === 'python') {
      await useFolder(await findPythonTorch(signal), terminal);
    } else if (isFolder(build)) {
      await useFolder(libtorchIn(path.resolve(build)), terminal);
    } else {
      await useVariant(build);
      terminal.print(`${build} is used from now on`);
      warnOfVariables(terminal);
    }
    return 0;
  },
});

/** A word with a slash means a folder, even if it does not exist; the name of a variant never does. */
function isFolder(build: string): boolean {
  if (Object.hasOwn(variantsOf(), build)) return false;
  return build.includes(path.sep) || build === '.' || fs.existsSync(path.join(build, 'lib'));
}

async function useVariant(name: string): Promise<void> {
  variantNamed(name);
  const folder = variantFolder(name);
  if (!fs.existsSync(folder)) {
    throw new LearnError(
      'ERR_LIBTORCH_NOT_FOUND',
      `${name} is not installed. Install it: npx torch-incremental libtorch install --variant ${name}. Nothing was changed`,
    );
  }
  checkBuild(libtorchIn(folder), folder);
  await writeChoice({ variant: name });
}
