// `torch-incremental build`: compiles the addon on this machine, where the prebuilt one does not fit.
import { buildAddon } from '../../install/build-addon';
import { command as define, text } from '../command';

export const command = define({
  name: 'build',
  description: [
    'Compiles the addon of this package on this machine. Needed only where the',
    'prebuilt one does not fit. Takes a C++20 compiler, cmake, and a libtorch',
    'with headers; what is missing is said with the line that installs it.',
  ].join('\n'),
  options: {
    libtorch: text(
      'dir',
      'The libtorch to compile against, with lib/ and include/ (default: the one that would be loaded)',
    ),
  },
  examples: ['build', 'build --libtorch /opt/libtorch'],
  async run(_, { libtorch }, { terminal }) {
    // The same as naming it for the run to come: it is found, compared and complained about in one way.
    if (libtorch !== undefined) process.env.TORCH_INCREMENTAL_LIBTORCH = libtorch;
    const folder = await buildAddon(process.cwd());
    terminal.print(`The addon is in ${folder} and is loaded from there from now on.`);
    terminal.print('Does it work? npx torch-incremental doctor. To go back: delete that folder.');
    return 0;
  },
});
