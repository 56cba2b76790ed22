// Learning from a data set: a random sample of it is drawn, learned, and made a version, in each of several rounds.
import { hash } from 'node:crypto';
import { checkOptions, isNumber, isSignal } from '../core/checks';
import { LearnError } from '../core/errors';
import { type InputForm, joined } from '../core/sample-values';
import { type Dataset, datasets, openDataset } from '../datasets';
import type { DatasetHandle } from '../native/handles';
import { type NativeSamples, native } from '../native/native';
import type { LearnerContext } from './context';
import type { Engine } from './engine';
import { failingSamples } from './failing-samples';
import { formText, indicesOf } from './sample-form';
import { type BatchRecord, currentRules } from './storage/records';

/** Options of {@link OnlineLearner.learnFrom}. */
export interface LearnFromOptions {
  /** Rounds, each with a random sample of its own. Default: 1. */
  rounds?: number;
  /** Size of the random sample that each round draws without replacement. Default: 1,000, or the whole data set. */
  sampleSize?: number;
  /** Stops after the current update, and rejects with `signal.reason`. */
  signal?: AbortSignal;
}

/** Result of {@link OnlineLearner.learnFrom}. */
export interface LearnFromResult {
  updates: number;
  /** Mean loss of the last round's updates; NaN if all of its samples were refused. */
  loss: number;
  /** The version that serves now, or was made last. */
  version: number;
}

export async function learnFrom(engine: Engine, data: Dataset, options: LearnFromOptions): Promise<LearnFromResult> {
  const source = datasets.check(data, 'dataset');
  const {
    rounds = 1,
    sampleSize = 1000,
    signal,
  } = checkOptions('learnFrom', options, {
    rounds: isNumber({ integer: true, min: 1 }),
    sampleSize: isNumber({ integer: true, min: 1 }),
    signal: isSignal,
  });
  const dataset = await openDataset(source, signal);
  try {
    const order = orderIn(dataset, engine.context);
    const before = engine.counts.updates;
    let loss = Number.NaN;
    for (let round = 0; round < rounds; round++) loss = await oneRound(engine, dataset, order, sampleSize, signal);
    const { updates, serving } = engine.counts;
    return { updates: updates - before, loss, version: serving };
  } finally {
    native().disposeDataset(dataset);
  }
}

/** For each input of the learner's samples, the index of the data set's. Throws ERR_SHAPE if its samples have another form. */
function orderIn(dataset: DatasetHandle, { sample }: LearnerContext): number[] {
  const info = native().datasetInfo(dataset);
  const { inputs, target, classes } = info;
  const order = indicesOf(sample.inputs, inputs);
  const isAlike = ({ dtype, shape }: InputForm, i: number) => {
    const { dtype: ownType, shape: ownShape } = inputs[order![i]!]!;
    return dtype === ownType && String(shape) === String(ownShape);
  };
  const isTarget = target.kind === sample.target.kind && String(target.shape) === String(sample.target.shape);
  if (order && sample.inputs.every(isAlike) && isTarget && classes <= sample.classes) return order;
  throw new LearnError('ERR_SHAPE', `Expected ${formText(sample)}, but the data set has ${formText(info)}`);
}

async function oneRound(
  engine: Engine,
  dataset: DatasetHandle,
  order: readonly number[],
  sampleSize: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { model, settings, sample, gate } = engine.context;
  const { length } = native().datasetInfo(dataset);
  const drawn = draw(Math.min(sampleSize, length), length, `${settings.seed} ${engine.counts.updates}`);
  const samples = drawn
    .map((index) => native().datasetSamples(dataset, index, 1))
    .map(({ inputs, targets }): NativeSamples => ({ inputs: order.map((at) => inputs[at]!), targets }))
    .filter(({ inputs }) => !gate?.holds(inputs, sample.inputs));
  let [sum, updates] = [0, 0];
  for (let first = 0; first < samples.length; first += settings.batchSize) {
    signal?.throwIfAborted();
    const batch = drawnBatch(samples.slice(first, first + settings.batchSize));
    // The error rejects this call alone.
    for (const [, error] of await failingSamples(engine, batch)) {
      throw new LearnError(
        'ERR_DATA_FORMAT',
        `Expected samples that ${model.name} takes, but it fails on one of the data set: ${error}`,
      );
    }
    const outcome = await engine.exclusively(() => engine.commit(batch));
    if (outcome!.learned === 0) continue;
    sum += outcome!.loss;
    updates++;
  }
  await engine.exclusively(() => engine.judge());
  return sum / updates;
}

function drawnBatch(samples: readonly NativeSamples[]): BatchRecord {
  const inputs = samples[0]!.inputs.map((_, i) => joined(samples.map((sample) => sample.inputs[i]!)));
  const targets = joined(samples.map((sample) => sample.targets));
  const none = samples.map(() => null);
  return { kind: 'batch', rules: currentRules, ids: none, inputs, targets, scores: none, fresh: false };
}

/**
 * `count` different numbers below `length`, by Floyd's algorithm (Bentley, CACM 1987). Equal keys give equal draws, so that the draw
 * follows from the seed and the number of updates.
 */
function draw(count: number, length: number, key: string): number[] {
  const drawn = new Set<number>();
  for (let last = length - count; last < length; last++) {
    const number = hash('sha256', `${key} ${last}`, 'buffer').readUIntBE(0, 6) % (last + 1);
    drawn.add(drawn.has(number) ? last : number);
  }
  return [...drawn];
}
