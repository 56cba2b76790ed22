// `torch-incremental libtorch`: the subcommands for builds of libtorch.
import type { CommandGroup } from '../command';

export const command: CommandGroup = {
  name: 'libtorch',
  description: [
    'Builds of libtorch, the library that computes: one for the CPU, others with',
    'CUDA for NVIDIA GPUs. None of these commands is needed if the package with',
    'libtorch that npm installs with this one is enough.',
  ].join('\n'),
  commands: [
    {
      name: 'install',
      summary: 'Download a build, or use an existing one',
      load: () => import('./libtorch/install.js'),
    },
    { name: 'list', summary: 'Show the builds, and which one is in use', load: () => import('./libtorch/list.js') },
    { name: 'use', summary: 'Choose the build to use', load: () => import('./libtorch/use.js') },
    { name: 'remove', summary: 'Delete an installed build', load: () => import('./libtorch/remove.js') },
  ],
};
