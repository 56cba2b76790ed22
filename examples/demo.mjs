// npm run demo [-- --data DIR] [-- --fast]: a small model learns from the first images of a data set, is saved, and then
// keeps learning from the rest, as README shows it. Takes CIFAR-10 from DIR or ./data, else downloads it, else draws
// shapes. Under a minute on two cores.
import process from 'node:process';
import { parseArgs } from 'node:util';
import {
  batches,
  cifar10,
  createState,
  downloadCifar10,
  evaluate,
  net,
  predict,
  saveState,
  subset,
  toTensor,
  trainIncremental,
} from 'torch-incremental';
import { DownloadBar, TrainBar } from '../dist/cli/bar.js';
import { onInterrupt } from '../dist/cli/interrupt.js';
import { classTable, confusionTable } from '../dist/cli/tables.js';
import { openTerminal } from '../dist/cli/terminal.js';
import { count, percent } from '../dist/core/format.js';
import { pictures, picturesThatFit } from './pictures.mjs';
import { drawShapes } from './shapes.mjs';

/** Images that the first model sees: enough to know a little. */
const firstImages = 500;
const shapesFolder = './data/shapes';
/** Without a byte for so long, there is no network. */
const patienceMs = 6_000;

const { interactive, colors, print } = openTerminal(() => process.exit());
const { bold, green } = colors;
const stop = new AbortController();
onInterrupt(() => stop.abort(new Error('interrupted')));
main().catch((error) => {
  print(`\n${error.code ? `error[${error.code}]: ` : ''}${error.message}`);
  process.exitCode = 1;
});

async function main() {
  const { values } = parseArgs({ options: { data: { type: 'string' }, fast: { type: 'boolean' } } });
  print(bold('\nA PyTorch model keeps learning in Node.js\n'));
  const root = values.data ?? (await findData());
  const training = cifar10({ root });
  const test = cifar10({ root, train: false });
  print(`The data: ${root}\n`);

  print(`${bold('1  A model that knows a little.')} A new Net sees ${firstImages} images once.`);
  const untrained = await createState(net(), { seed: 0 });
  const first = await train(untrained, { data: subset(training, { end: firstImages }), epochs: 1, seed: 0 });
  await saveState(first.state, 'pretrained_model.pth');
  const before = await evaluate('pretrained_model.pth', { data: test });
  print(`   Saved pretrained_model.pth: ${percent(before.accuracy)} of ${count(before.samples)} test images right.\n`);

  // 50,000 images take some 10 seconds an epoch, the shapes less than one.
  const epochs = values.fast ? 1 : root === shapesFolder ? 8 : 3;
  print(bold('2  It learns from all the others'));
  print(`   await trainIncremental('pretrained_model.pth', { data, epochs: ${epochs} })`);
  const { state } = await train('pretrained_model.pth', {
    data: subset(training, { start: firstImages }),
    epochs,
    seed: 1,
  });
  await saveState(state, 'updated_model.pth');
  const after = await evaluate('updated_model.pth', { data: test });
  print(`   Saved updated_model.pth: ${percent(after.accuracy)} of the test images right.\n`);

  print(bold('3  What it has learned\n'));
  if (colors.isColorSupported && process.stdout.getColorDepth() >= 8)
    await showPictures(test, first.state, state, after);
  print(`${classTable(after, colors, before)}\n`);
  print(`${confusionTable(after, colors)}\n`);
  print(
    `   Accuracy on images never trained on: ${percent(before.accuracy)} → ${bold(green(percent(after.accuracy)))}\n`,
  );

  print(`${bold('4  Python goes on from here.')} Into a model: load_state_dict(torch.load(…))`);
  print(`   python3 -c "import torch; print(*torch.load('updated_model.pth'))"\n`);
}

/** Trains with a progress bar on a terminal, with a line an epoch elsewhere. */
async function train(source, options) {
  const bar = new TrainBar(process.stdout, colors, '   ');
  stop.signal.addEventListener('abort', () => bar.stop());
  const line = (event) => {
    if (event.type === 'epoch') print(`   epoch ${event.epoch} of ${event.epochs}, mean loss ${event.loss.toFixed(4)}`);
  };
  return trainIncremental(source, { ...options, onProgress: interactive ? bar.onProgress : line, signal: stop.signal });
}

/** Test images of different classes that the first model got wrong and the second gets right. */
async function showPictures(test, stateBefore, stateAfter, { perClass }) {
  const samples = batches(test, { transforms: [toTensor()], batchSize: 200, shuffle: false });
  const { inputs, labels } = (await samples.next()).value;
  await samples.return();
  const pixels = Uint8Array.from(inputs, (value) => Math.round(255 * value));
  const [was, is] = [await predict(stateBefore, pixels), await predict(stateAfter, pixels)];
  const learned = new Map();
  for (const [sample, label] of labels.entries()) {
    if (was.labels[sample] !== label && is.labels[sample] === label) learned.set(label, sample);
  }
  const shown = [...learned.values()].slice(0, picturesThatFit(process.stdout.columns));
  if (shown.length === 0) return;
  const images = shown.map((sample) => inputs.subarray(sample * 3072, (sample + 1) * 3072));
  const captions = shown.map((sample) => [
    `before: ${perClass[was.labels[sample]].name}`,
    `after:  ${perClass[is.labels[sample]].name}`,
  ]);
  print(`${pictures(images, captions, process.stdout.getColorDepth())}\n`);
}

/** The folder with CIFAR-10, downloaded if need be, or else one with drawn shapes. */
async function findData() {
  const silence = new AbortController();
  const giveUp = () => silence.abort(new Error(`no answer for ${patienceMs / 1000} s`));
  let timer = setTimeout(giveUp, patienceMs);
  // Where the images are there it takes no time.
  const notice = setTimeout(() => print('CIFAR-10 is not in ./data; downloading it (170 MB) …'), 200);
  const bar = new DownloadBar('CIFAR-10', process.stdout, colors);
  const onProgress = (progress) => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, patienceMs);
    bar.onProgress(progress);
  };
  try {
    const signal = AbortSignal.any([stop.signal, silence.signal]);
    await downloadCifar10({ root: './data', signal, onProgress });
    return './data';
  } catch (error) {
    stop.signal.throwIfAborted();
    bar.stop();
    print(`That failed: ${error.message}.`);
    print('Without a network there are ten classes of drawn shapes to learn.\n');
    await drawShapes(shapesFolder);
    return shapesFolder;
  } finally {
    clearTimeout(timer);
    clearTimeout(notice);
    bar.stop();
  }
}
