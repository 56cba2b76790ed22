// Options of `torch-incremental online`, and the options of OnlineLearner.open() that they become.
import { type Check, defined, invalid, isNumber, isOneOf, isPath } from '../../core/checks';
import { listed } from '../../core/family';
import { cifar10 } from '../../datasets/cifar10/cifar10';
import { detectors } from '../../detectors';
import { type DriftAnswer, driftAnswers } from '../../online/drift-answers';
import type { LearnerOptions } from '../../online/options';
import { sgdChecks } from '../../optimizers/sgd';
import { trainOptionChecks as checks } from '../../training/options';
import { wrongUsage } from '../arguments';
import { type Given, number, numberOr, type Options, text } from '../command';
import { averageFrom, detectorFrom, lossFrom, metricsFrom, optimizerFrom } from '../members';

type Policy = 'reservoir' | 'classBalanced';
type Target = NonNullable<LearnerOptions['target']>;

const isCount = isNumber({ integer: true, min: 1 });
const isNatural = isNumber({ integer: true, min: 0 });
const isShare = isNumber({ min: 0, max: 1 });
const isDelay = isNumber({ min: 0, max: 2 ** 31 - 1 });
const targetPattern = /^(classes|class|values|tokens)(?::([1-9]\d*(?:x[1-9]\d*)*))?$/;
const isTarget: Check = (value, name) => {
  if (!targetPattern.test(value as string)) throw invalid("a kind and a shape, such as 'values:3'", name, value);
};
const isSync: Check = (value, name) => {
  if (value !== 'always') isDelay(value, name);
};

export const learnerOptions = {
  dir: text('dir', 'Folder of the learner: it resumes there, or a new one begins', { check: isPath }),
  inputs: text<'uint8' | 'float32'>('type', 'uint8 images, or float32 values that reach the model as they are', {
    check: isOneOf(['uint8', 'float32']),
  }),
  target: text('kind', 'class, or classes, values or tokens with a shape: values:3, tokens:64x64 (default: class)', {
    check: isTarget,
  }),
  batchSize: number('n', 'New samples an update, at most (default: 64)', { check: checks.batchSize }),
  maxDelayMs: number('ms', 'How long a sample waits for others, at most (default: 50)', { check: isDelay }),
  learningRate: number('rate', 'Learning rate (default: 0.001)', { check: sgdChecks.learningRate, short: 'lr' }),
  optimizer: text('optimizer', 'As adamW or adamW:betas=0.9,0.95 (default: sgd)'),
  loss: text('loss', 'As mseLoss or huberLoss:delta=0.5 (default: crossEntropyLoss)'),
  average: text('average', 'Average the weights over updates, as ema or ema:decay=0.99 (default: none)'),
  score: text<'live' | 'served'>(
    'weights',
    'That are measured: live, or served (default: live, with --held-out served)',
    {
      check: isOneOf(['live', 'served']),
    },
  ),
  momentum: number('share', 'Share of the last update in the next (default: 0.9)', { check: sgdChecks.momentum }),
  mode: text<'exact' | 'fast'>('mode', 'exact: bit for bit as PyTorch; or fast (default: exact)', {
    check: checks.mode,
  }),
  threads: numberOr<'leave-one'>('n', 'Threads that compute, or leave-one (default: leave-one)', {
    check: checks.threads,
  }),
  seed: number('n', 'Seed of all random numbers (default: a random one)', { check: checks.seed }),
  replay: number('samples', 'Keep this many samples for replay (default: none)', { check: isNatural }),
  replayPolicy: text<Policy>('policy', 'reservoir, or classBalanced (default: reservoir)', {
    check: isOneOf(['reservoir', 'classBalanced']),
  }),
  replayPerUpdate: number('n', 'Samples that each update replays (default: a batch)', { check: isNatural }),
  gateEvery: number('n', 'Updates between two versions (default: 50)', { check: isCount }),
  heldOut: text('dir', 'CIFAR-10 folder whose test images decide whether a version may serve', { check: isPath }),
  maxDrop: number('share', 'How far its accuracy may be below the best that served (default: 0.01)', {
    check: isShare,
  }),
  perClassMaxDrop: number('share', 'The same for each class (default: 0.05)', { check: isShare }),
  keepVersions: number('n', 'Versions that are kept for rollback (default: 5)', { check: isCount }),
  drift: text('detector', `Look for drift with ${listed(detectors.words)}, as adwin or adwin:delta=0.01`),
  onDrift: text<DriftAnswer>('what', `${listed(driftAnswers)} (default: report)`, { check: isOneOf(driftAnswers) }),
  driftCooldown: number('n', 'New samples after a drift whose signals belong to it (default: 1000)', {
    check: isNatural,
  }),
  metrics: text('names', 'Such as f1Score:average=micro,auroc, in the answers to {"metrics": true} (default: none)'),
  feedbackTtlMs: number('ms', 'How long a prediction waits for its label; 0: not at all (default: an hour)', {
    check: isNumber({ integer: true, min: 0 }),
  }),
  waitForLock: number('ms', 'How long to wait while another process has the folder (default: 0)', { check: isDelay }),
  sync: numberOr<'always'>('ms', 'When answered samples are on the disk: so much later, or always (default: 100)', {
    check: isSync,
  }),
} satisfies Options;

type GivenOptions = Given<typeof learnerOptions>;

/** Options that need another: flag, option, the other flag, the other option. */
const needs: readonly [string, keyof GivenOptions, string, keyof GivenOptions][] = [
  ['--replay-policy', 'replayPolicy', '--replay <samples>', 'replay'],
  ['--replay-per-update', 'replayPerUpdate', '--replay <samples>', 'replay'],
  ['--max-drop', 'maxDrop', '--held-out <dir>', 'heldOut'],
  ['--per-class-max-drop', 'perClassMaxDrop', '--held-out <dir>', 'heldOut'],
  ['--on-drift', 'onDrift', '--drift <detector>', 'drift'],
  ['--drift-cooldown', 'driftCooldown', '--drift <detector>', 'drift'],
];

export function learnerOptionsFrom(given: GivenOptions): LearnerOptions {
  const { dir, inputs, replay, replayPolicy, replayPerUpdate, feedbackTtlMs, sync, ...others } = given;
  const {
    drift,
    onDrift,
    driftCooldown,
    target,
    gateEvery,
    heldOut,
    maxDrop,
    perClassMaxDrop,
    optimizer: words,
    loss: lossWords,
    average,
    learningRate,
    momentum,
    metrics,
    ...same
  } = others;
  if (dir === undefined) throw wrongUsage('Expected --dir <dir>, the folder in which the learner lives');
  for (const [flag, option, other, needed] of needs) {
    if (given[option] !== undefined && given[needed] === undefined) throw wrongUsage(`${flag} needs ${other}`);
  }
  const optimizer = optimizerFrom(words, { learningRate, momentum });
  const loss = lossFrom(lossWords);
  const gate = {
    ...defined({ every: gateEvery, maxDrop, perClassMaxDrop }),
    ...(heldOut !== undefined && { heldOut: cifar10({ root: heldOut, train: false }) }),
  };
  return {
    ...{ dir, ...same, ...defined({ optimizer, loss, average: averageFrom(average) }) },
    ...(inputs !== undefined && { inputs, ...(inputs === 'float32' && { transforms: [] }) }),
    ...(target !== undefined && { target: targetFrom(target) }),
    ...(replay !== undefined && {
      replay: { capacity: replay, ...defined({ policy: replayPolicy, perUpdate: replayPerUpdate }) },
    }),
    ...(Object.keys(gate).length > 0 && { gate }),
    ...(drift !== undefined && {
      drift: { detector: detectorFrom(drift), ...defined({ onDrift, cooldown: driftCooldown }) },
    }),
    ...(metrics !== undefined && { metrics: metricsFrom(metrics) }),
    ...(feedbackTtlMs !== undefined && { feedback: feedbackTtlMs > 0 && { ttlMs: feedbackTtlMs } }),
    ...(sync !== undefined && { journal: { sync: sync === 'always' ? sync : { everyMs: sync } } }),
  };
}

/** `values:3` is `{ kind: 'values', shape: [3] }`. */
function targetFrom(text: string): Target {
  const [, kind, shape] = targetPattern.exec(text)!;
  return { kind: kind as Target['kind'], ...(shape !== undefined && { shape: shape.split('x').map(Number) }) };
}
