// `torch-incremental build`: compiles the addon on this machine, if the prebuilt one does not fit.
import { buildAddon } from '../../install/build-addon';
import { command as define, text } from '../command';

export const command = define({
  name: 'build',
  description: [
    'Compiles the addon of this package on this machine. Needed only if the',
    'prebuilt one does not fit. Needs a C++20 compiler, cmake, and a libtorch',
    'with headers. If one is missing, prints the command that installs it.',
  ].join('\n'),
  options: {
    libtorch: text(
      'dir',
      'The libtorch to compile against, with lib/ and include/ (default: the one that would be loaded)',
    ),
  },
  examples: ['build', 'build --libtorch /opt/libtorch'],
  async run(_, { libtorch }, { terminal }) {
    // Set as a variable, so that the build finds and checks it as every later run would.
    if (libtorch !== undefined) process.env.TORCH_INCREMENTAL_LIBTORCH = libtorch;
    const folder = await buildAddon(process.cwd());
    terminal.print(`The addon is in ${folder} and will be loaded from there.`);
    terminal.print('To test it: npx torch-incremental doctor. To undo this: delete that folder.');
    return 0;
  },
});
