// `torch-incremental extend`: gives the classifier of a checkpoint more classes.
import { isNumber, isPath } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { count } from '../../core/format';
import { checkWritable } from '../../files/atomic-write';
import { recogniseModel } from '../../models/recognise';
import type { Model } from '../../program/module';
import { saveState } from '../../state/save';
import type { State } from '../../state/state';
import { extendClasses, extendLayer, isClassCount, linearLayers } from '../../training/extend-classes';
import { wrongUsage } from '../arguments';
import { checkpointOptions, loadChosen } from '../checkpoint';
import { command as define, number, on, text } from '../command';

export const command = define({
  name: 'extend',
  description: [
    'Gives the last linear layer of a checkpoint more classes, and saves the result',
    'as a new one. The old rows keep their bits; the new ones are those that PyTorch',
    'draws for a layer of that size. What an optimizer in the file remembers grows',
    'with them.',
  ].join('\n'),
  argument: 'checkpoint',
  options: {
    ...checkpointOptions,
    classes: number('n', 'Number of classes afterwards', { check: isClassCount }),
    layer: text('path', 'The linear layer, such as fc (default: the last of a known model)'),
    seed: number('n', 'As torch.manual_seed(n) just before the layer is made (default: 0)', {
      check: isNumber({ integer: true, min: 0 }),
    }),
    out: text('file', 'Checkpoint to write', { check: isPath, letter: 'o' }),
    json: on('Print the result as one line of JSON'),
  },
  examples: [
    'extend model.pth --classes 12 -o extended.pth',
    'extend run.ckpt --classes 20 --layer head.fc -o out.ckpt',
  ],
  async run(file, { key, stripPrefix, classes, layer, seed = 0, out, json }, { terminal, signal }) {
    if (classes === undefined) throw wrongUsage('Expected --classes <n>');
    if (out === undefined) throw wrongUsage('Expected --out <file>');
    await checkWritable(out);
    const state = await loadChosen(file, { key, stripPrefix }, signal);
    const extended = await extend(state, { classes, layer, seed });
    await saveState(extended, out, { signal });
    if (json) terminal.print(JSON.stringify({ type: 'saved', out, classes }));
    else terminal.note(`Saved ${out}: ${count(classes)} classes`);
    return 0;
  },
});

interface Extension {
  classes: number;
  layer: string | undefined;
  seed: number;
}

async function extend(state: State, { classes, layer, seed }: Extension): Promise<State> {
  const model = modelOf(state);
  if (model) {
    return (await extendClasses(state, { model, classes, seed, ...(layer !== undefined && { layer }) })).state;
  }
  if (layer !== undefined) return extendLayer(state, layer, classes, seed);
  const paths = linearLayers(state).slice(-5);
  throw wrongUsage(
    `The checkpoint is of no known model: name its last linear layer with --layer <path>, such as ${paths.at(-1) ?? 'fc'}` +
      `${paths.length > 1 ? `; the last ones are ${paths.join(', ')}` : ''}`,
  );
}

function modelOf(state: State): Model | undefined {
  try {
    return recogniseModel(state);
  } catch (error) {
    if (error instanceof LearnError) return undefined;
    throw error;
  }
}
