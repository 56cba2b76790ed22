// trainIncremental and trainEvents as a caller sees them: results, events, aborts, errors.
import assert from 'node:assert/strict';
import {
  arrays,
  createState,
  flatten,
  LearnError,
  linear,
  net,
  sequential,
  sgd,
  trainEvents,
  trainIncremental,
} from 'torch-incremental';
import { madeUpImages } from '../support.mjs';

const data = arrays(madeUpImages(70));
const quick = { data, epochs: 2, batchSize: 32, seed: 1 };

describe('trainIncremental', () => {
  let state;
  before(async () => {
    state = await createState(net(), { seed: 0 });
  });

  it('returns a new state that differs, and leaves the given one as it was', async () => {
    const same = await createState(net(), { seed: 0 });
    const result = await trainIncremental(state, quick);
    assert.ok(state.equals(same));
    assert.ok(!result.state.equals(state));
    assert.deepEqual(result.state.names, state.names);
  });

  it('reports history, steps and the device it chose', async () => {
    const { history, steps, seconds, device } = await trainIncremental(state, { ...quick, threads: 1 });
    assert.equal(steps, 6);
    assert.deepEqual(
      history.map(({ epoch, steps: count, samples }) => [epoch, count, samples]),
      [
        [1, 3, 70],
        [2, 3, 70],
      ],
    );
    assert.ok(history.every(({ loss }) => loss > 0 && loss < 10));
    assert.ok(seconds > 0);
    assert.equal(device.type, 'cpu');
    assert.equal(device.threads, 1);
    assert.ok(device.reason.length > 0);
  });

  it('gives equal states for equal seeds and different ones for different seeds', async () => {
    const [a, b, c] = [
      await trainIncremental(state, quick),
      await trainIncremental(state, quick),
      await trainIncremental(state, { ...quick, seed: 2 }),
    ];
    assert.ok(a.state.equals(b.state));
    assert.ok(!a.state.equals(c.state));
  });

  it('learns: the loss of the last epoch is well below that of the first', async () => {
    const { history } = await trainIncremental(state, {
      data: arrays(madeUpImages(400)),
      epochs: 6,
      batchSize: 20,
      seed: 0,
      transforms: undefined,
    });
    assert.ok(history.at(-1).loss < history[0].loss * 0.7, `${history[0].loss} to ${history.at(-1).loss}`);
  });

  it('leaves out the last short batch with dropLast', async () => {
    const { steps, history } = await trainIncremental(state, { ...quick, dropLast: true });
    assert.equal(steps, 4);
    assert.equal(history[0].samples, 64);
  });

  it('delivers every log and epoch event in order, and steps that count up', async () => {
    const events = [];
    await trainIncremental(state, { ...quick, batchSize: 10, logEvery: 3, onProgress: (event) => events.push(event) });
    const kept = events
      .filter(({ type }) => type !== 'step')
      .map(({ type, epoch, step }) => (type === 'log' ? `${epoch}.${step}` : `end ${epoch}`));
    assert.deepEqual(kept, ['1.3', '1.6', 'end 1', '2.3', '2.6', 'end 2']);
    const positions = events.filter(({ type }) => type !== 'epoch').map(({ epoch, step }) => epoch * 100 + step);
    assert.deepEqual(
      positions,
      [...positions].sort((a, b) => a - b),
    );
    for (const event of events.filter(({ type }) => type !== 'epoch')) {
      assert.equal(event.epochs, 2);
      assert.equal(event.steps, 7);
      assert.ok(event.samplesPerSecond > 0 && event.etaSeconds >= 0);
    }
  });

  it('gives runs at once, on different numbers of threads, the results that they have one after the other', async () => {
    const runs = [1, 2, 1, 2].map((threads, seed) => ({ ...quick, epochs: 1, batchSize: 16, seed, threads }));
    const alone = [];
    for (const options of runs) alone.push(await trainIncremental(state, options));
    // Several times: the mistake this looks for, one run taking the other's number of threads, was one of timing.
    for (let round = 0; round < 8; round++) {
      const together = await Promise.all(runs.map((options) => trainIncremental(state, options)));
      for (const [index, { state: trained }] of together.entries()) assert.ok(trained.equals(alone[index].state));
    }
  });

  it('uses the weights as they were when it was called, even if the state is disposed meanwhile', async () => {
    const mine = await createState(net(), { seed: 0 });
    const run = trainIncremental(mine, { ...quick, onProgress: () => mine.dispose() });
    const expected = await trainIncremental(state, quick);
    assert.ok((await run).state.equals(expected.state));
    await assert.rejects(trainIncremental(mine, quick), { code: 'ERR_DISPOSED' });
  });

  describe('when it is stopped', () => {
    const long = { data, epochs: 100_000, batchSize: 8, seed: 1 };

    it('rejects with the reason of a signal that was aborted before', async () => {
      const reason = new Error('too late');
      await assert.rejects(
        trainIncremental(state, { ...long, signal: AbortSignal.abort(reason) }),
        (error) => error === reason,
      );
    });

    it('rejects with the reason of a signal aborted during the run', async () => {
      const controller = new AbortController();
      const run = trainIncremental(state, {
        ...long,
        signal: controller.signal,
        onProgress: () => controller.abort('enough'),
      });
      await assert.rejects(run, (error) => error === 'enough');
    });

    it('rejects with an AbortError when no reason was given', async () => {
      const controller = new AbortController();
      const run = trainIncremental(state, { ...long, signal: controller.signal });
      setTimeout(() => controller.abort(), 50);
      await assert.rejects(run, { name: 'AbortError' });
    });

    for (const thrown of [new Error('mine'), null, undefined, 'words', 0]) {
      it(`rejects with what the callback threw: ${thrown}`, async () => {
        let calls = 0;
        const run = trainIncremental(state, {
          ...long,
          onProgress: () => {
            calls++;
            throw thrown;
          },
        });
        await assert.rejects(run, (error) => error === thrown);
        assert.equal(calls, 1);
      });
    }

    it('stops and rejects with what the promise of the callback rejects with', async () => {
      const reason = new Error('mine');
      const onProgress = async () => {
        await Promise.resolve();
        throw reason;
      };
      await assert.rejects(trainIncremental(state, { ...long, onProgress }), (error) => error === reason);
    });

    it('rejects with that also where the training is over when the promise rejects', async () => {
      const reason = new Error('late');
      const onProgress = async ({ type }) => {
        if (type !== 'epoch') return;
        await new Promise((resolve) => setTimeout(resolve, 200));
        throw reason;
      };
      await assert.rejects(trainIncremental(state, { ...quick, epochs: 1, onProgress }), (error) => error === reason);
    });
  });

  it('stops with ERR_NOT_FINITE, naming the step, when the loss is no longer a number', async () => {
    const same = await createState(net(), { seed: 0 });
    await assert.rejects(
      trainIncremental(state, { ...quick, optimizer: sgd({ learningRate: 1e6 }), epochs: 10 }),
      (error) => {
        assert.ok(error instanceof LearnError);
        assert.equal(error.code, 'ERR_NOT_FINITE');
        assert.match(error.message, /epoch \d+, step \d+/);
        assert.match(error.stack, /train\.test\.mjs/);
        return true;
      },
    );
    assert.ok(state.equals(same));
  });

  it('stops with ERR_NOT_FINITE when only the last update ruined the weights', async () => {
    const once = { ...quick, epochs: 1, batchSize: 70, optimizer: sgd({ learningRate: 1e38 }) };
    const huge = {
      ...once,
      data: arrays({
        inputs: new Float32Array(3072 * 2).fill(1e30),
        labels: Int32Array.of(0, 1),
        shape: [3, 32, 32],
        classes: 10,
      }),
    };
    await assert.rejects(trainIncremental(state, huge), { code: 'ERR_NOT_FINITE' });
  });

  it('refuses labels that the model has no class for', async () => {
    const small = sequential({ flatten: flatten(), fc: linear(3072, 4) });
    const run = trainIncremental(await createState(small), { ...quick, model: small });
    await assert.rejects(
      run,
      (error) => error.code === 'ERR_SHAPE' && /10 classes but the model returns 4/.test(error.message),
    );
  });

  it('refuses samples of another shape than the model takes', async () => {
    const wrong = arrays({
      inputs: new Uint8Array(2 * 3 * 28 * 28),
      labels: Int32Array.of(0, 1),
      shape: [3, 28, 28],
      classes: 10,
    });
    await assert.rejects(
      trainIncremental(state, { ...quick, data: wrong }),
      (error) => error.code === 'ERR_SHAPE' && /\[3, 32, 32\].*\[3, 28, 28\]/.test(error.message),
    );
  });

  it('names the operator when a model of no fixed input meets samples it cannot take', async () => {
    const loose = sequential({ flatten: flatten(), fc: linear(100, 10) });
    const run = trainIncremental(await createState(loose), { ...quick, model: loose });
    await assert.rejects(run, (error) => error.code === 'ERR_TORCH' && /aten::linear/.test(error.message));
  });
});

describe('trainEvents', () => {
  let state;
  before(async () => {
    state = await createState(net(), { seed: 0 });
  });

  it('yields the events of the run and returns its result', async () => {
    const events = trainEvents(state, { ...quick, logEvery: 1 });
    const kept = [];
    let next = await events.next();
    for (; !next.done; next = await events.next()) if (next.value.type !== 'step') kept.push(next.value.type);
    assert.deepEqual(kept, ['log', 'log', 'log', 'epoch', 'log', 'log', 'log', 'epoch']);
    assert.ok(next.value.state.equals((await trainIncremental(state, quick)).state));
  });

  it('loses no log event to a slow reader', async () => {
    let logs = 0;
    for await (const event of trainEvents(state, { ...quick, epochs: 1, batchSize: 5, logEvery: 1 })) {
      if (event.type === 'log') logs++;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    assert.equal(logs, 14);
  });

  it('stops the training when its loop is left', async () => {
    let seen = 0;
    for await (const event of trainEvents(state, { data, epochs: 100_000, batchSize: 8, seed: 1 })) {
      seen += event.epoch;
      break;
    }
    assert.equal(seen, 1);
  });

  it('throws what the run rejects with', async () => {
    const reason = new Error('stop');
    const controller = new AbortController();
    await assert.rejects(
      async () => {
        for await (const _ of trainEvents(state, { data, epochs: 100_000, signal: controller.signal }))
          controller.abort(reason);
      },
      (error) => error === reason,
    );
    await assert.rejects(trainEvents(state, { epochs: -1 }).next(), { code: 'ERR_INVALID_OPTION' });
  });
});
