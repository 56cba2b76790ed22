// `torch-incremental demo`: the whole way of a model on data that it draws itself, so that it needs no network, no file and
// no Python. Trains, saves, loads, trains further, then learns from a stream that brings new classes.
import fs from 'node:fs/promises';
import path from 'node:path';
import { isNumber, isPath } from '../../core/checks';
import { LearnError } from '../../core/errors';
import { count, duration, percent } from '../../core/format';
import { type Dataset, subset } from '../../datasets';
import { arrays } from '../../datasets/arrays';
import { cifar10 } from '../../datasets/cifar10/cifar10';
import { net } from '../../models/zoo/net';
import { OnlineLearner } from '../../online/learner';
import { createState } from '../../state/create';
import { saveState } from '../../state/save';
import type { State } from '../../state/state';
import { evaluate } from '../../training/evaluate';
import { trainIncremental } from '../../training/train';
import { TrainBar } from '../bar';
import { type Context, command as define, number, text } from '../command';
import { drawShapes, pixels, shapesIn } from '../demo/shapes';
import { classTable } from '../tables';

const defaultFolder = 'torch-incremental-demo';
const images = { train: 2500, test: 500 };
const trainingFiles = ['data_batch_1.bin', 'data_batch_2.bin', 'data_batch_3.bin'];
const streamFiles = ['data_batch_4.bin', 'data_batch_5.bin'];
/** Classes that training sees; the stream brings the other two. */
const knownClasses = 8;
/** Images that the first model sees: enough to know a little. */
const firstImages = 300;
const epochs = 8;
/** The other core is for the terminal. */
const threads = 'leave-one';
/** Samples of the stream that come at once, and those that a line of output is about. */
const samplesAtOnce = 20;
const samplesShown = 200;

export const command = define({
  name: 'demo',
  description: [
    'Shows what this package does, on images that it draws itself: trains a small',
    'model, saves it, loads it and trains it further, then lets it learn from a',
    'stream while it serves. Takes seconds; needs no network and no Python.',
  ].join('\n'),
  options: {
    dir: text('dir', `Folder to make and write to (default: ${defaultFolder})`, { check: isPath }),
    seed: number('n', 'Seed of everything that is drawn (default: 0)', { check: isNumber({ integer: true, min: 0 }) }),
  },
  examples: ['demo', 'demo --dir /tmp/demo'],
  async run(_, { dir = defaultFolder, seed = 0 }, context) {
    await makeFolder(dir);
    try {
      await show(dir, seed, context);
    } catch (cause) {
      // It was made a moment ago, and only this has written to it.
      await fs.rm(dir, { recursive: true, force: true });
      throw cause;
    }
    return 0;
  },
});

async function makeFolder(dir: string): Promise<void> {
  await fs.mkdir(path.dirname(dir), { recursive: true });
  await fs.mkdir(dir).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    const message = `${dir} already exists, and the demo overwrites nothing; remove it, or choose another folder with --dir`;
    throw new LearnError('ERR_FILE', message, { cause });
  });
}

async function show(dir: string, seed: number, context: Context): Promise<void> {
  const { terminal, signal } = context;
  const { bold, green } = terminal.colors;
  const { print } = terminal;
  const file = (name: string) => path.join(dir, name);
  const started = performance.now();

  print(bold('A PyTorch model that keeps learning inside Node.js\n'));
  print(
    `${bold('1  Data.')} Drawing ${count(images.train + images.test)} images of ten shapes, in CIFAR-10's format.\n`,
  );
  await drawShapes(dir, { ...images, seed, signal });
  const training = arrays({ ...(await shapesIn(dir, trainingFiles, knownClasses)), classes: 10 });
  const test = cifar10({ root: dir, train: false });
  const score = (name: string) => evaluate(file(name), { data: test, threads, signal });

  print(`${bold('2  A model that knows a little.')} A new one sees ${firstImages} images of eight shapes.`);
  const untrained = await createState(net(), { seed });
  const first = await train(untrained, { data: subset(training, { end: firstImages }), epochs: 1, seed }, context);
  await saveState(first, file('pretrained_model.pth'), { signal });
  const before = await score('pretrained_model.pth');
  print(`   ${percent(before.accuracy)} of the test images right, of all ten shapes.\n`);

  print(`${bold('3  Loaded and trained further.')} await trainIncremental('pretrained_model.pth', …)`);
  const others = subset(training, { start: firstImages });
  const updated = await train(file('pretrained_model.pth'), { data: others, epochs, seed }, context);
  await saveState(updated, file('updated_model.pth'), { signal });
  const after = await score('updated_model.pth');
  print(`   ${percent(after.accuracy)} right.\n`);

  print(`${bold('4  Serving, and learning from a stream.')} It brings two new shapes.`);
  await learnOnline(dir, seed, context);
  const online = await score('online_model.pth');
  print(`   ${bold(green(percent(online.accuracy)))} of the test images right; by shape, after step 3 and now:\n`);
  print(`${classTable(online, terminal.colors, after)}\n`);

  print(`Done in ${duration((performance.now() - started) / 1000)}. ${bold('What is where:')}`);
  const files = [
    ['cifar-10-batches-bin', 'the images'],
    ['pretrained_model.pth', 'the model after step 2'],
    ['updated_model.pth', 'the model after step 3'],
    ['learner', 'its journal and its versions'],
    ['online_model.pth', 'the model after step 4'],
  ] as const;
  const width = Math.max(...files.map(([name]) => file(name).length));
  for (const [name, what] of files) print(`  ${file(name).padEnd(width)}  ${what}`);
  print(`\n${bold('What to try now:')}`);
  print(`  npx torch-incremental evaluate ${file('online_model.pth')} --data ${dir}`);
  print(`  npx torch-incremental versions ${file('learner')}`);
  print(`  python3 -c "import torch; print(*torch.load('${file('updated_model.pth')}', weights_only=True))"`);
}

/** Trains with a bar on a terminal, and silently elsewhere. */
async function train(
  source: string | State,
  options: { data: Dataset; epochs: number; seed: number },
  { terminal, signal }: Context,
): Promise<State> {
  const bar = terminal.interactive ? new TrainBar(process.stdout, terminal.colors, '   ') : undefined;
  try {
    const { state } = await trainIncremental(source, {
      ...options,
      threads,
      signal,
      ...(bar && { onProgress: bar.onProgress }),
    });
    return state;
  } finally {
    bar?.stop();
  }
}

/** Learns the stream, some samples at a time, and saves the version that serves at the end. */
async function learnOnline(dir: string, seed: number, { terminal, signal }: Context): Promise<void> {
  const { inputs, labels } = await shapesIn(dir, streamFiles);
  const learner = await OnlineLearner.open({
    dir: path.join(dir, 'learner'),
    checkpoint: path.join(dir, 'updated_model.pth'),
    batchSize: samplesAtOnce,
    replay: { capacity: 500 },
    gate: { every: 10 },
    seed,
  });
  try {
    let correct = 0;
    for (let from = 0; from < labels.length; from += samplesAtOnce) {
      signal.throwIfAborted();
      const to = from + samplesAtOnce;
      const samples = { inputs: inputs.subarray(from * pixels, to * pixels), labels: labels.subarray(from, to) };
      correct += (await learner.learn(samples)).prequential.correct;
      if (to % samplesShown > 0) continue;
      const range = `${count(to - samplesShown + 1)} to ${count(to)}`;
      terminal.print(`   Samples ${range}: ${percent(correct / samplesShown)} right before they were learned`);
      correct = 0;
    }
    await learner.save(path.join(dir, 'online_model.pth'), { signal });
  } finally {
    await learner.close();
  }
}
