// `torch-incremental average`: writes the mean of checkpoints.
import { isPath } from '../../core/checks';
import { count } from '../../core/format';
import { checkWritable } from '../../files/atomic-write';
import { averageStates } from '../../state/merge';
import { saveState } from '../../state/save';
import type { State } from '../../state/state';
import { wrongUsage } from '../arguments';
import { checkpointOptions, loadChosen } from '../checkpoint';
import { command as define, on, text } from '../command';

export const command = define({
  name: 'average',
  description: [
    'Writes the mean of the weights of checkpoints, which have the same names and',
    'shapes. It is computed in float64 and rounded once. Integers, such as the counts',
    'of batch norms, are those of the last one.',
  ].join('\n'),
  argument: 'checkpoint',
  argumentIsRepeated: true,
  options: {
    ...checkpointOptions,
    out: text('file', 'Checkpoint to write', { check: isPath, letter: 'o' }),
    json: on('Print the result as one line of JSON'),
  },
  examples: ['average epoch8.pth epoch9.pth epoch10.pth -o average.pth'],
  async run(first, { key, stripPrefix, out, json }, { terminal, signal, more }) {
    if (out === undefined) throw wrongUsage('Expected --out <file>');
    if (more.length === 0) throw wrongUsage('Expected at least two checkpoints to average');
    await checkWritable(out);
    const states: State[] = [];
    for (const file of [first, ...more]) states.push(await loadChosen(file, { key, stripPrefix }, signal));
    await saveState(await averageStates(states), out, { signal });
    if (json) terminal.print(JSON.stringify({ type: 'saved', out, checkpoints: states.length }));
    else terminal.note(`Saved ${out}: the mean of ${count(states.length)} checkpoints`);
    return 0;
  },
});
