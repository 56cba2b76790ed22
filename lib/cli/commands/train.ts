// `torch-incremental train`: trains a checkpoint on a folder of images and saves the result.
import fs from 'node:fs';
import { isNumber, isPath } from '../../core/checks';
import { count, duration, fixed, percent } from '../../core/format';
import { checkWritable } from '../../files/atomic-write';
import { logLine } from '../../loggers/console';
import type { EpochEvent, TrainEvent } from '../../loggers/events';
import { type Device, isDevice } from '../../native/device';
import { sgdChecks } from '../../optimizers/sgd';
import { saveModel } from '../../pt2/save-model';
import { saveState } from '../../state/save';
import { trainOptionChecks as checks } from '../../training/options';
import { type TrainResult, trainIncremental } from '../../training/train';
import { missingArgument, wrongUsage } from '../arguments';
import { TrainBar } from '../bar';
import { checkpointOptions, withSource } from '../checkpoint';
import { type Context, command as define, number, numberOr, off, on, text } from '../command';
import { commandLine } from '../command-line';
import { dataOptions, openData } from '../data';
import { interrupted } from '../interrupt';
import { averageFrom, lossFrom, optimizerFrom, schedulerFrom } from '../members';
import { isExported, modelFrom, modelOptions } from '../model-file';

const options = {
  ...checkpointOptions,
  ...modelOptions,
  ...dataOptions,
  out: text('file', 'Checkpoint to write, or .pt2 of a .pt2 (default: updated_model.pth)', { check: isPath }),
  epochs: number('n', 'Times the whole data set is seen (default: 10)', { check: checks.epochs }),
  batchSize: number('n', 'Samples a step (default: 64)', { check: checks.batchSize }),
  optimizer: text('optimizer', 'As adamW or adamW:betas=0.9,0.95 (default: sgd, or the one in --resume)'),
  scheduler: text(
    'scheduler',
    'As cosineAnnealingLR:tMax=10, or several as in the examples (default: none, or the one in --resume)',
  ),
  loss: text('loss', 'As crossEntropyLoss:labelSmoothing=0.1 (default: crossEntropyLoss, or the one in --resume)'),
  learningRate: number('rate', 'Learning rate (default: 0.001)', { check: sgdChecks.learningRate, short: 'lr' }),
  momentum: number('share', 'Share of the last update in the next (default: 0.9)', { check: sgdChecks.momentum }),
  weightDecay: number('factor', 'L2 penalty: adds factor x weight to each gradient (default: 0)', {
    check: sgdChecks.weightDecay,
  }),
  nesterov: on("Use Nesterov's momentum"),
  freeze: text('patterns', "Parameters that stay as they are, such as 'layer1,layer2.*' (default: none)"),
  accumulate: number('n', 'Batches of a step (default: 1)', { check: checks.accumulate }),
  maxGradientNorm: number('norm', 'Scale gradients of a larger norm down to it (default: none)', {
    check: checks.maxGradientNorm,
  }),
  average: text('average', 'Save an average of the weights: ema, ema:decay=0.99 or swa:start=5 (default: none)'),
  validate: text('folder', 'Score the test images in this folder after each epoch', { check: isPath }),
  patience: number('n', 'Stop after n validations without a smaller loss, and save the best', {
    check: isNumber({ integer: true, min: 1 }),
  }),
  maxSteps: number('n', 'Stop after n steps (default: none)', { check: checks.maxSteps }),
  shuffle: off('Keep the order of the data'),
  dropLast: on('Leave out a last batch that is not full'),
  workers: number('n', 'Draw as DataLoader(num_workers=n); starts no threads (default: 0)', { check: checks.workers }),
  seed: number('n', 'As torch.manual_seed(n) just before the epochs (default: a random one)', { check: checks.seed }),
  device: text<Device>('device', 'auto, cpu, cuda or cuda:N (default: auto)', { check: isDevice }),
  threads: numberOr<'leave-one'>('n', 'Threads that compute, or leave-one (default: one for each core)', {
    check: checks.threads,
  }),
  niceness: number('n', 'Lower priority than other programs, 0 to 19 (default: 0)', {
    check: checks.niceness,
  }),
  mode: text<'exact' | 'fast'>('mode', 'exact: bit for bit as PyTorch; or fast (default: exact)', {
    check: checks.mode,
  }),
  precision: text<'fp32' | 'bf16'>('precision', 'fp32, or bf16 in fast mode (default: fp32)', {
    check: checks.precision,
  }),
  logEvery: number('n', 'Steps between two lines of output; 0 for none (default: 100)', { check: checks.logEvery }),
  checkpoint: text('file', 'Record the training in this file, to resume it after an interrupt', { check: isPath }),
  every: number('n', 'Steps between two writes of it (default: once per epoch)', {
    check: isNumber({ integer: true, min: 1 }),
  }),
  resume: text('file', 'Resume from such a file; options that are not given are those in it', { check: isPath }),
  json: on('Print every event as a line of JSON'),
};

export const command = define({
  name: 'train',
  description: [
    'Trains a checkpoint (.pth) on CIFAR-10 and saves the result as a new one; the',
    'original is not changed. If piped, it prints what a PyTorch training script',
    'prints, and with --seed the same numbers. A model that torch.export saved (.pt2)',
    'is trained as it is, or with the weights of a checkpoint: --model model.pt2.',
  ].join('\n'),
  argument: 'checkpoint',
  argumentIsOptional: true,
  insteadOfArgument: 'resume',
  options,
  examples: [
    'train pretrained_model.pth',
    'train pretrained_model.pth --data ~/cifar --epochs 3 --seed 1 --out better.pth',
    'train pretrained_model.pth --json | jq .loss',
    'train pretrained_model.pth --checkpoint run.ckpt --every 500',
    'train --resume run.ckpt --checkpoint run.ckpt --every 500',
    'train pretrained_model.pth --optimizer adamW --lr 3e-4 --weight-decay 0.05',
    'train pretrained_model.pth --freeze conv1,conv2 --validate ./data --patience 3',
    'train pretrained_model.pth --lr 0.1 --scheduler cosineAnnealingLR:tMax=10',
    'train a.pth --epochs 30 --scheduler sequentialLR:milestones=5,linearLR:totalIters=5,cosineAnnealingLR:tMax=25',
    'train mine.pth --model model.mjs',
    'train model.pt2 --out updated.pt2',
  ],
  async run(file, given, context) {
    const {
      key,
      stripPrefix,
      data,
      download,
      out = 'updated_model.pth',
      json,
      checkpoint: path,
      every,
      resume: resumedPath,
      optimizer: words,
      scheduler: schedule,
      loss: lossWords,
      learningRate,
      momentum,
      weightDecay,
      nesterov,
      freeze,
      average: averageWords,
      model: modelFile,
      validate,
      patience,
      ...training
    } = given;
    const { terminal, signal } = context;
    const isWeighted = file !== '' || resumedPath !== undefined || (modelFile !== undefined && isExported(modelFile));
    if (!isWeighted) throw missingArgument('train', 'checkpoint');
    const isModelSaved = isExported(out);
    if (isModelSaved && !isExported(modelFile ?? file))
      throw wrongUsage(`--out ${out}: only a model that comes from a .pt2 is saved as one; name it .pth`);
    if (every !== undefined && path === undefined) throw wrongUsage('--every needs --checkpoint <file>');
    if (patience !== undefined && validate === undefined) throw wrongUsage('--patience needs --validate <folder>');
    const average = averageFrom(averageWords);
    const optimizer = optimizerFrom(words, { learningRate, momentum, weightDecay, nesterov });
    const scheduler = schedulerFrom(schedule);
    const loss = lossFrom(lossWords);
    await checkWritable(out);
    const chosen = { key, stripPrefix };
    const { model, weights } = await modelFrom(modelFile, resumedPath ?? file, chosen, signal);
    const dataset = await openData({ data, download }, true, context);
    const validation =
      validate === undefined
        ? undefined
        : { data: await openData({ data: validate, download }, false, context), ...(patience && { patience }) };
    const onProgress = json
      ? jsonLines(context)
      : terminal.interactive
        ? progressBar(context)
        : referenceLines(context);
    const checkpoint = path === undefined ? undefined : { path, ...(every !== undefined && { every }) };
    const isNewer = watch(path);
    // These options choose the tensors of the file that is read: the checkpoint, or the one to resume from.
    const choice = { ...(key !== undefined && { key }), ...(stripPrefix !== undefined && { stripPrefix }) };
    const resume = resumedPath === undefined ? undefined : { path: resumedPath, ...choice };
    let result: TrainResult;
    try {
      result = await withSource(weights ?? file, resume ? {} : choice, signal, (source) =>
        trainIncremental(source, {
          ...training,
          ...(model && { model }),
          ...(optimizer && { optimizer }),
          ...(freeze !== undefined && { parameterGroups: [{ parameters: freeze.split(','), frozen: true }] }),
          ...(average && { average }),
          ...(validation && { validation }),
          ...(scheduler && { scheduler }),
          ...(loss && { loss }),
          ...(resume && { resume }),
          data: dataset,
          signal,
          onProgress,
          ...(checkpoint && { checkpoint }),
        }),
      );
      if (isModelSaved) await saveModel(out, { model: model!, state: result.state, signal });
      else await saveState(result.state, out, { signal });
    } catch (cause) {
      if (!signal.aborted || cause !== signal.reason || !isNewer()) throw cause;
      // The checkpoint has the weights and no program.
      const again = commandLine(
        { name: 'train', options },
        {
          ...{ ...given, key: undefined, stripPrefix: undefined, resume: path },
          ...(isExported(file) && { model: modelFile ?? file }),
        },
      );
      terminal.note(`Interrupted; the training is recorded in ${path}. To resume:\n  ${again}`);
      return interrupted;
    }
    if (json) terminal.print(JSON.stringify({ type: 'saved', out, ...summary(result) }));
    else terminal.note(sentence(out, result));
    return 0;
  },
});

/** Returns a function that reports whether `file` was replaced since this call. */
function watch(file: string | undefined): () => boolean {
  if (file === undefined) return () => false;
  const look = () => {
    const { ino, mtimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? {};
    return `${ino} ${mtimeMs}`;
  };
  const before = look();
  return () => look() !== before;
}

type Report = (event: TrainEvent) => void;

function jsonLines({ terminal }: Context): Report {
  return (event) => terminal.print(JSON.stringify(event));
}

/** For pipes: prints the lines of the reference script, character for character. Epochs that have none are noted beside them. */
function referenceLines({ terminal }: Context): Report {
  let isShown = false;
  return (event) => {
    if (event.type === 'log') terminal.print(logLine(event));
    if (event.type === 'epoch' && (!isShown || event.validation)) terminal.note(epochLine(event));
    if (event.type !== 'step') isShown = event.type === 'log';
  };
}

function epochLine({ epoch, epochs, loss, steps, seconds, validation }: EpochEvent): string {
  const scores = validation
    ? `; validation: loss ${fixed(validation.loss, 4)}, accuracy ${percent(validation.accuracy)}`
    : '';
  return `Epoch ${epoch}/${epochs}: mean loss ${fixed(loss, 4)}, ${count(steps)} steps in ${duration(seconds)}${scores}`;
}

function progressBar({ terminal, signal }: Context): Report {
  const bar = new TrainBar(process.stdout, terminal.colors);
  signal.addEventListener('abort', () => bar.stop(), { once: true });
  return bar.onProgress;
}

function summary({ steps, seconds, device, history, stopped }: TrainResult) {
  return { steps, seconds, device, history, ...(stopped && { stopped }) };
}

function sentence(out: string, { steps, seconds, device, history, stopped }: TrainResult): string {
  const loss = history.at(-1)?.loss ?? Number.NaN;
  const why = stopped === 'patience' ? 'The best of them is saved, since the validation no longer improved. ' : '';
  return `${why}Saved ${out}: ${count(steps)} steps in ${duration(seconds)} on the ${device.type === 'cuda' ? device.name : 'cpu'}, last epoch's mean loss ${fixed(loss, 4)}`;
}
