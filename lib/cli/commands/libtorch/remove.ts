// `torch-incremental libtorch remove`: deletes a variant from the cache.
import { LearnError } from '../../../core/errors';
import { removeVariant } from '../../../install/remove-libtorch';
import { cacheRoot } from '../../../libtorch/cache';
import { command as define } from '../../command';
import { variantNamed } from '../../libtorch';

export const command = define({
  name: 'libtorch remove',
  description: [
    'Deletes an installed build, its unfinished download, and the choice of it.',
    'Processes that use it keep running, but worker threads that they start later',
    'find no libtorch: restart such a process.',
  ].join('\n'),
  argument: 'variant',
  options: {},
  examples: ['libtorch remove cu126'],
  async run(name, _, { terminal, signal }) {
    variantNamed(name);
    if (!(await removeVariant(name, {}, signal)))
      throw new LearnError('ERR_LIBTORCH_NOT_FOUND', `${name} is not installed in ${cacheRoot()}`);
    terminal.print(`Removed ${name}`);
    return 0;
  },
});
