// Losses that do not fit targets, models or their own options: every error, and what it says.
import assert from 'node:assert/strict';
import {
  bceWithLogitsLoss,
  cosineEmbeddingLoss,
  crossEntropyLoss,
  gaussianNLLLoss,
  huberLoss,
  klDivLoss,
  l1Loss,
  linear,
  modelLoss,
  mseLoss,
  nllLoss,
  node,
  sequential,
  tripletMarginLoss,
  value,
} from 'torch-incremental';
import { losses } from '../../dist/losses/index.js';
import { leaf } from '../../dist/program/module.js';
import {
  bothReject,
  dataOf,
  format,
  labels,
  layer,
  n,
  numbers,
  option,
  positions,
  scalar,
  shape,
  train,
  twins,
} from './losses-support.mjs';

describe('a loss', function () {
  this.timeout(60_000);

  describe('refuses targets of another kind', () => {
    it('where a class is wanted and a float given, naming the sample', async () => {
      const targets = numbers(n, (i) => (i === 2 ? 0.5 : i));
      await bothReject(
        layer(3),
        targets,
        nllLoss(),
        format(
          /nllLoss takes .* 'class' or 'tokens' .* 'values', floats: that of sample 2 holds 0.5, which is no class; give classes as integers/,
        ),
      );
      await bothReject(
        layer(3),
        targets,
        crossEntropyLoss(),
        shape(/crossEntropyLoss needs the index of a class.* one number: that of sample 2 holds 0.5/),
      );
    });

    it('where numbers are wanted and a class given', async () => {
      const message =
        /mseLoss takes targets of the kind 'values' or 'classes' .* 'class', indices of classes: that of sample 0 is the class 0; give numbers/;
      await bothReject(layer(3), labels, mseLoss(), format(message));
    });

    it('where there are none', async () => {
      await bothReject(layer(3), undefined, l1Loss(), format(/The samples have no targets, which l1Loss needs/));
    });

    it('where one is not 1 or -1, naming the sample', async () => {
      const loss = cosineEmbeddingLoss({ outputs: ['near', 'far'] });
      const targets = numbers(n, (i) => (i === 4 ? 0.5 : -1));
      await bothReject(
        twins,
        targets,
        loss,
        format(/cosineEmbeddingLoss needs targets that are 1 or -1, but that of sample 4 holds 0.5/),
      );
    });

    it('where one is NaN, naming the sample', () => {
      const targets = numbers(n, (i) => (i === 3 ? Number.NaN : 1));
      assert.throws(() => dataOf(targets), format(/finite targets but that of sample 3 holds NaN/));
    });

    it('where a token is below 0 and is not the one that is ignored, naming the sample', async () => {
      const sequences = sequential(
        {
          fc: linear(3, 6),
          rows: leaf('Rows', [node('unflatten', 'int', { self: value('input'), dim: 1, sizes: [3, 2] })]),
        },
        { input: [3] },
      );
      const targets = { data: Int32Array.from({ length: 2 * n }, (_, i) => (i === 5 ? -100 : i % 3)), shape: [2] };
      await bothReject(
        sequences,
        targets,
        nllLoss({ ignoreIndex: 0 }),
        format(/A token of sample 2 is -100, which nllLoss does not ignore, since ignoreIndex is 0/),
      );
      // A class that the model does not have may be the one that is ignored.
      const masked = { data: targets.data.map((index) => (index < 0 ? 255 : index)), shape: [2] };
      await train(sequences, masked, crossEntropyLoss({ ignoreIndex: 255 }));
      await bothReject(
        sequences,
        masked,
        crossEntropyLoss(),
        shape(/The data set has 256 classes but the model returns 3/),
      );
    });
  });

  describe('refuses what does not fit a model', () => {
    it('such as weights of another length', async () => {
      const weight = [1, 2];
      await bothReject(
        layer(3),
        labels,
        crossEntropyLoss({ weight }),
        option(
          /Expected \[3\] numbers for "weight" of crossEntropyLoss, one for each of the model's classes, but received 2/,
        ),
      );
      const targets = { ...numbers(3 * n, (i) => i % 2), shape: [3] };
      await bothReject(
        layer(3),
        targets,
        bceWithLogitsLoss({ posWeight: weight }),
        option(/Expected \[3\] numbers for "posWeight"/),
      );
    });

    it('such as outputs that PyTorch would spread over targets of another shape', async () => {
      const wide = { ...numbers(2 * n), shape: [2] };
      await bothReject(
        layer(2),
        numbers(n),
        mseLoss(),
        shape(
          /Expected the model to return \[4\] for a batch of 4 but it returned \[4, 2\]|\[6\] for a batch of 6 but it returned \[6, 2\]/,
        ),
      );
      await bothReject(
        layer(1),
        wide,
        huberLoss(),
        shape(/return \[\d, 2\] for a batch of \d but it returned \[\d, 1\]/),
      );
      await bothReject(
        scalar,
        { ...numbers(n), shape: [1] },
        mseLoss(),
        shape(/return \[\d, 1\] .* it returned \[\d\]; give targets the shape \[\]/),
      );
    });

    it('such as classes in the last axis, naming the option for them', async () => {
      const tokens = { data: Int32Array.from({ length: 2 * n }, (_, i) => i % 4), shape: [2] };
      const advice =
        /return \[\d, classes, 2\] .* returned \[\d, 2, 4\]; .* give crossEntropyLoss\({ classesLast: true }\)/;
      await bothReject(positions, tokens, crossEntropyLoss(), shape(advice));
      const shares = { ...numbers(8 * n, (i) => (i % 4) / 6), shape: [2, 4] };
      await bothReject(
        positions,
        shares,
        crossEntropyLoss({ classesLast: true }),
        format(/'class' or 'tokens' .* 'values'/),
      );
    });

    it('such as an output that it does not have, naming the nearest', async () => {
      await bothReject(
        twins,
        numbers(n),
        mseLoss({ output: 'fare' }),
        option(
          /mseLoss\(\) takes the output "fare" but Twins has 3 outputs, "near", "far", "cost"; did you mean "far"\?/,
        ),
      );
      await bothReject(twins, numbers(n), mseLoss({ output: 3 }), option(/takes the output 3 but Twins has 3 outputs/));
      await bothReject(
        layer(3),
        undefined,
        tripletMarginLoss(),
        option(/takes the output 1 but .* has one output, "output"/),
      );
    });

    it('such as variances below 0', async () => {
      const targets = { ...numbers(3 * n), shape: [3] };
      await bothReject(
        twins,
        targets,
        gaussianNLLLoss({ outputs: ['near', 'far'] }),
        option(/no number below 0 for "variance" of gaussianNLLLoss but it returned -.* softplus/),
      );
    });

    it('such as a loss of the model that is no single number', async () => {
      await bothReject(
        twins,
        undefined,
        modelLoss({ output: 'near' }),
        shape(/Expected the model to return \[\] for a batch of \d but it returned \[\d, 3\]/),
      );
    });
  });

  it('refuses invalid weights and outputs by name', () => {
    for (const weight of [[], [1, Number.NaN], [-1, 1], ['1'], new Int32Array(2), 3]) {
      assert.throws(() => crossEntropyLoss({ weight }), option(/"weight/));
    }
    assert.deepEqual(crossEntropyLoss({ weight: Float32Array.of(1, 0.5) }).weight, [1, 0.5]);
    for (const outputs of [['a'], ['a', 'a'], [0, -1], 'ab']) {
      assert.throws(() => cosineEmbeddingLoss({ outputs }), option(/"outputs/));
    }
    assert.throws(() => huberLoss({ delta: 0 }), option(/above 0 for "delta"/));
    assert.throws(() => klDivLoss({ reduction: 'none' }), option(/'batchmean'.* for "reduction"/));
  });

  it('is listed with all others where something else is given', async () => {
    const words = losses.words.join('\\(\\).*');
    await assert.rejects(train(layer(3), labels, { kind: 'regret' }), option(new RegExp(`${words}.* for "loss"`)));
  });
});
