// `torch-incremental extend`: gives the classifier of a checkpoint more classes.
import { type Check, defined, isNumber, isPath } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { count } from '../../core/format';
import { checkWritable } from '../../files/atomic-write';
import { recogniseModel } from '../../models/recognise';
import type { Model } from '../../program/module';
import { isClassNames } from '../../state/class-names';
import { saveState } from '../../state/save';
import type { State } from '../../state/state';
import { extendClasses, extendLayer, type Growing, isClassCount, linearLayers } from '../../training/extend-classes';
import { wrongUsage } from '../arguments';
import { checkpointOptions, loadChosen } from '../checkpoint';
import { command as define, number, on, text } from '../command';
import { isExported, modelFrom, modelOptions } from '../model-file';

const namesIn = (words: string) => words.split(',').map((name) => name.trim());
const areNames: Check = (value, name) => void isClassNames(namesIn(value as string), name);

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
    ...modelOptions,
    classes: number('n', 'Number of classes afterwards', { check: isClassCount }),
    names: text('names', 'Names of the new classes instead, such as fox,owl; kept in the checkpoint', {
      check: areNames,
    }),
    oldNames: text('names', 'Names of the classes that exist, where the checkpoint does not have them', {
      check: areNames,
    }),
    layer: text('path', 'The linear layer, such as fc (default: the last of a known model)'),
    seed: number('n', 'As torch.manual_seed(n) just before the layer is made (default: 0)', {
      check: isNumber({ integer: true, min: 0 }),
    }),
    out: text('file', 'Checkpoint to write', { check: isPath, letter: 'o' }),
    json: on('Print the result as one line of JSON'),
  },
  examples: [
    'extend model.pth --classes 12 -o extended.pth',
    'extend model.pth --names fox,owl --old-names cat,dog -o extended.pth',
    'extend run.ckpt --classes 20 --layer head.fc -o out.ckpt',
  ],
  async run(
    file,
    { key, stripPrefix, model: modelFile, classes, names, oldNames, layer, seed = 0, out, json },
    context,
  ) {
    const { terminal, signal } = context;
    if (classes === undefined && names === undefined) throw wrongUsage('Expected --classes <n> or --names <names>');
    if (classes !== undefined && names !== undefined) throw wrongUsage('Expected either --classes or --names');
    if (oldNames !== undefined && names === undefined) throw wrongUsage('--old-names needs --names <names>');
    if (out === undefined) throw wrongUsage('Expected --out <file>');
    const exported = [file, modelFile ?? ''].find(isExported);
    if (exported !== undefined)
      throw wrongUsage(
        `${exported} fixes the number of classes, so the result would not fit it: extendClasses() gives a program the model too`,
      );
    await checkWritable(out);
    const { model } = await modelFrom(modelFile, file, { key, stripPrefix }, signal);
    const state = await loadChosen(file, { key, stripPrefix }, signal);
    const growth = defined({
      classes,
      names: names === undefined ? undefined : namesIn(names),
      oldNames: oldNames === undefined ? undefined : namesIn(oldNames),
    });
    const extended = await extend(state, { model, growth, layer, seed });
    await saveState(extended.state, out, { signal });
    const { classNames } = extended;
    const all = classes ?? classNames!.length;
    if (json) terminal.print(JSON.stringify({ type: 'saved', out, classes: all, ...(classNames && { classNames }) }));
    else terminal.note(`Saved ${out}: ${count(all)} classes${classNames ? `, ${classNames.join(', ')}` : ''}`);
    return 0;
  },
});

interface Extension {
  model: Model | undefined;
  growth: Growing;
  layer: string | undefined;
  seed: number;
}

async function extend(state: State, { model: given, growth, layer, seed }: Extension) {
  const model = given ?? modelOf(state);
  if (model) return extendClasses(state, { model, ...growth, seed, ...(layer !== undefined && { layer }) });
  if (layer !== undefined) return extendLayer(state, layer, growth, seed);
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
