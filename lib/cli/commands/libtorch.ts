// `torch-incremental libtorch`: the commands for builds of libtorch.
import type { CommandGroup } from '../command';

export const command: CommandGroup = {
  name: 'libtorch',
  description: [
    'Builds of libtorch, the library that computes: one for the CPU, others with',
    'CUDA for NVIDIA GPUs. Nothing of this is needed where the package that npm',
    'installs beside this one is enough.',
  ].join('\n'),
  commands: [
    {
      name: 'install',
      summary: 'Fetch a build, or take one that is there',
      load: () => import('./libtorch/install.js'),
    },
    { name: 'list', summary: 'Show which there are, and which is in use', load: () => import('./libtorch/list.js') },
    { name: 'use', summary: 'Choose the one to use', load: () => import('./libtorch/use.js') },
    { name: 'remove', summary: 'Delete an installed build', load: () => import('./libtorch/remove.js') },
  ],
};
