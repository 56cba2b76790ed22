// Answers of `torch-incremental online` to samples, with made-up learners.
import assert from 'node:assert/strict';
import answering from '../../dist/cli/online/answers.js';
import { formOf } from './online-support.mjs';

describe('command line: the answer to a prediction', () => {
  it('is an error if the model gives numbers that are not finite, which JSON does not have', async () => {
    const predict = async () => ({
      ...{ ids: ['a', 'b'], labels: Int32Array.of(1, 0), version: 2 },
      logits: Float32Array.of(0, 1, Number.NaN, Number.POSITIVE_INFINITY),
    });
    const answers = new answering.Answers({ sample: formOf('float32', [1]), predict }, assert.fail);
    const ask = () => answers.to({ kind: 'predict', id: undefined, inputs: [new Float32Array(1)] });
    const [first, second] = [ask(), ask()];
    assert.deepEqual(await first, { id: 'a', label: 1, version: 2, logits: [0, 1] });
    await assert.rejects(second, { code: 'ERR_NOT_FINITE' });
  });

  it('is an error for the samples on which the model fails, and for no other that is predicted together with them', async () => {
    let calls = 0;
    const predict = async (values) => {
      calls++;
      if (values.some((value) => value > 200)) throw Object.assign(new Error('out of range'), { code: 'ERR_TORCH' });
      const labels = Int32Array.from(values);
      return { ids: [...values].map(String), labels, version: 1, logits: Float32Array.from(values) };
    };
    const answers = new answering.Answers({ sample: formOf('uint8', [1]), predict }, assert.fail);
    const numbers = Array.from({ length: 100 }, (_, i) => (i === 17 || i === 64 ? 255 : i));
    const results = await Promise.allSettled(
      numbers.map((number) => answers.to({ kind: 'predict', id: undefined, inputs: [Uint8Array.of(number)] })),
    );
    assert.deepEqual(
      results.map(({ value, reason }) => value?.id ?? reason.code),
      numbers.map((number) => (number === 255 ? 'ERR_TORCH' : String(number))),
    );
    assert.ok(calls < 40, `${calls} calls`);
  });

  it('has the part of its sample where several are predicted together, each with several inputs', async () => {
    const form = {
      inputs: [
        { name: 'ids', dtype: 'int64', shape: [2] },
        { name: 'dense', dtype: 'float32', shape: [] },
      ],
      target: { kind: 'values', shape: [2, 1] },
      classes: 0,
    };
    const given = [];
    const predict = async (inputs) => {
      given.push(inputs);
      return {
        ids: [],
        labels: new Int32Array(),
        shape: [3, 2, 1],
        version: 2,
        logits: Float32Array.of(0, 1, 2, 3, 4, 5),
      };
    };
    const answers = new answering.Answers({ sample: form, predict }, assert.fail);
    const ask = (i) =>
      answers.to({ kind: 'predict', id: i, inputs: [BigInt64Array.of(BigInt(i), -1n), Float32Array.of(i / 2)] });
    const common = { shape: [2, 1], version: 2, feedback: undefined };
    assert.deepEqual(
      await Promise.all([1, 2, 3].map(ask)),
      [1, 2, 3].map((id, i) => ({ id, ...common, logits: [2 * i, 2 * i + 1] })),
    );
    assert.deepEqual(given, [
      { ids: BigInt64Array.of(1n, -1n, 2n, -1n, 3n, -1n), dense: Float32Array.of(0.5, 1, 1.5) },
    ]);
    const short = answers.to({ kind: 'predict', id: 1, inputs: [new BigInt64Array(1), new Float32Array(1)] });
    await assert.rejects(short, {
      code: 'ERR_SHAPE',
      message: /2 values for "inputs.ids", of shape \[2\], but there are 1/,
    });
  });
});

describe('command line: the answer to a sample that was set aside', () => {
  it('has the code and the message of the reason, if the learner gives one', async () => {
    const result = { version: 3, prequential: { samples: 0 }, duplicates: 0, quarantined: 1, unknown: 0, drift: false };
    const answer = (more) => {
      const learn = async () => ({ ...result, ...more });
      const answers = new answering.Answers({ sample: formOf('uint8', [1]), learn }, assert.fail);
      return answers.to({ kind: 'learn', id: 'a', inputs: [new Uint8Array(1)], target: 30 });
    };
    const reasons = [{ index: 0, id: 'a', code: 'label', message: 'expected a label from 0 to 9' }];
    const expected = { id: 'a', version: 3, quarantined: true };
    assert.deepEqual(await answer({ reasons: [] }), expected);
    const reason = { code: 'label', message: 'expected a label from 0 to 9' };
    assert.deepEqual(await answer({ reasons }), { ...expected, reason });
  });
});
