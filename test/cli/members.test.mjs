// Members of families as words of the command line: they are those that a program makes.
import assert from 'node:assert/strict';
import { adamW, adwin, crossEntropyLoss, ema, f1Score, topKAccuracy } from 'torch-incremental';
import members from '../../dist/cli/members.js';
import { optimizers } from '../../dist/optimizers/index.js';
import { schedulerForms } from '../../dist/schedulers/index.js';
import { cases, madeFrom } from '../golden/scheduler-cases.mjs';

const { averageFrom, detectorFrom, lossFrom, metricsFrom, optimizerFrom, schedulerFrom } = members;
const wrong = (message) => ({ code: 'ERR_INVALID_OPTION', message });

/** A scheduler of the cases as words: [kind, options] or [kind, schedulers, options]. */
function wordsOf([kind, first, second]) {
  const [held, own] = Array.isArray(first) ? [first, second ?? {}] : [[], first];
  const parts = [...Object.entries(own).map(([name, value]) => `${name}=${value}`), ...held.map(wordsOf)];
  return parts.length > 0 ? `${kind}:${parts.join(',')}` : kind;
}

const isEmpty = (value) => Array.isArray(value) && value.length === 0;
/** What no words can say: an empty list, and a scheduler that holds others inside another. */
const isInWords = ([, first, second]) =>
  !Object.values(Array.isArray(first) ? (second ?? {}) : first).some(isEmpty) &&
  !(Array.isArray(first) && first.some(([, inner]) => Array.isArray(inner)));

describe('members of families on the command line', () => {
  it('are the schedulers of a program, for those that hold others too', () => {
    const described = cases.map(({ scheduler }) => scheduler).filter(isInWords);
    for (const one of described) assert.deepEqual(schedulerFrom(wordsOf(one)), madeFrom(one), wordsOf(one));
    const kinds = new Set(described.map(([kind]) => kind));
    assert.deepEqual([...kinds].sort(), schedulerForms.map(({ kind }) => kind).sort());
  });

  it('may have spaces after their commas', () => {
    const words = 'sequentialLR:milestones=5, linearLR:startFactor=0.1, totalIters=5, cosineAnnealingLR:tMax=25';
    assert.deepEqual(schedulerFrom(words), schedulerFrom(words.replaceAll(' ', '')));
    assert.deepEqual(metricsFrom('f1Score, topKAccuracy:k=3'), [f1Score(), topKAccuracy({ k: 3 })]);
  });

  it('are named in any case, as the classes of PyTorch are', () => {
    for (const { kind, torchName } of schedulerForms) assert.equal(kind.toLowerCase(), torchName.toLowerCase());
    assert.equal(schedulerFrom('CosineAnnealingLR:tMax=3').kind, 'cosineAnnealingLR');
    for (const kind of optimizers.words) assert.equal(optimizerFrom(kind.toUpperCase(), {}).kind, kind);
    assert.deepEqual(optimizerFrom('adamw', { learningRate: 3e-4 }), adamW({ learningRate: 3e-4 }));
    assert.deepEqual(lossFrom('CrossEntropyLoss'), crossEntropyLoss());
    assert.deepEqual(averageFrom('EMA:decay=0.9'), ema({ decay: 0.9 }));
    assert.deepEqual(detectorFrom('ADWIN:delta=0.01'), adwin({ delta: 0.01 }));
  });

  it('are suggested where a name begins as theirs', () => {
    assert.throws(
      () => schedulerFrom('cosine'),
      wrong(/Unknown cosine for --scheduler; did you mean cosineAnnealingLR or cosineAnnealingWarmRestarts\?/),
    );
    assert.throws(() => lossFrom('mse'), wrong(/Unknown mse for --loss; did you mean mseLoss\?/));
  });

  it('refuse options without a colon, and options given twice', () => {
    assert.throws(
      () => optimizerFrom('adamW,weightDecay=0.1', {}),
      wrong(/Expected a colon before the options of --optimizer adamW: adamW:weightDecay=0\.1$/),
    );
    assert.throws(() => schedulerFrom('stepLR:stepSize=1,stepSize=2'), wrong(/stepSize is there twice/));
  });

  it('refuse what a scheduler cannot hold, naming it', () => {
    for (const [words, message] of [
      ['sequentialLR:milestones=5', /Expected schedulers after sequentialLR and its options, as in --scheduler seq/],
      ['chainedScheduler', /Expected schedulers after chainedScheduler/],
      [
        'sequentialLR:milestones=5,linearRL:totalIters=5,constantLR',
        /Unknown linearRL for --scheduler; did you mean lin/,
      ],
      ['sequentialLR:milestones=5,linearLR', /Expected 0 milestones for the 1 schedulers/],
      [
        'sequentialLR:linearLR,cosineAnnealingLR:tMax=5,milestones=5',
        /Unknown option "milestones" of cosineAnnealingLR/,
      ],
      ['sequentialLR:milestone=5,linearLR,constantLR', /did you mean "milestones"/],
      [
        'sequentialLR:milestones=5,chainedScheduler:constantLR,linearLR',
        /only a program can put chainedScheduler into/,
      ],
      [
        'chainedScheduler:reduceLROnPlateau,linearLR',
        /received reduceLROnPlateau\(\), which follows a monitored number/,
      ],
    ])
      assert.throws(() => schedulerFrom(words), wrong(message), words);
  });
});
