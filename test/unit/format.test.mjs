import assert from 'node:assert/strict';
import { barLine, epochText } from '../../dist/cli/bar.js';
import { bytes, count, counted, duration, fixed, percent } from '../../dist/core/format.js';
import { logLine } from '../../dist/loggers/console.js';

describe('format', () => {
  // [(x, f'{x:.4f}') for x in …] of Python 3.
  const python = [
    [0, '0.0000'],
    [-0, '-0.0000'],
    [2.2989, '2.2989'],
    [0.03125, '0.0312'],
    [0.09375, '0.0938'],
    [0.15625, '0.1562'],
    [0.21875, '0.2188'],
    [-0.15625, '-0.1562'],
    [5e-5, '0.0001'],
    [0.00015, '0.0001'],
    [0.00025, '0.0003'],
    [-1e-9, '-0.0000'],
    [123456.03125, '123456.0312'],
    [0.99995, '1.0000'],
    [1e21, '1000000000000000000000.0000'],
    [3.4028234663852886e38, '340282346638528859811704183484516925440.0000'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
  ];
  for (const [value, expected] of python) {
    it(`writes ${value} with four decimals as Python does`, () => assert.equal(fixed(value, 4), expected));
  }

  it('rounds every tie to the even digit', () => {
    for (let odd = 1; odd < 20_000; odd += 2) {
      // odd / 32 is a multiple of 0.0001 and a half, exactly: 312.5 times odd.
      const below = Math.floor(odd * 312.5);
      const even = below % 2 === 0 ? below : below + 1;
      assert.equal(fixed(odd / 32, 4), `${Math.floor(even / 1e4)}.${String(even % 1e4).padStart(4, '0')}`);
    }
  });

  it('rounds ties to the even digit with other numbers of decimals too', () => {
    const written = [0.5, 1.5, 2.5, 3.5].map((value) => fixed(value, 0));
    assert.deepEqual(written, ['0', '2', '2', '4']);
    assert.deepEqual([fixed(0.25, 1), fixed(0.75, 1), fixed(0.35, 1)], ['0.2', '0.8', '0.3']);
  });

  it("writes a log event as the Python script's line", () => {
    const event = { epoch: 1, epochs: 10, step: 100, steps: 782, loss: 2.29894 };
    assert.equal(logLine(event), 'Epoch [1/10], Step [100/782], Loss: 2.2989');
  });

  it('writes quantities for people', () => {
    assert.equal(count(1234567), '1,234,567');
    assert.deepEqual([counted(1, 'tensor'), counted(2000, 'tensor')], ['1 tensor', '2,000 tensors']);
    assert.deepEqual([percent(0.4567), percent(1), percent(0 / 0)], ['45.7 %', '100.0 %', '–']);
    assert.deepEqual([bytes(999), bytes(1331112), bytes(999_999)], ['999 B', '1.3 MB', '1.0 MB']);
    const durations = [4.23, 59.96, 83, 3599.6, 7384, Infinity].map(duration);
    assert.deepEqual(durations, ['4.2 s', '1:00', '1:23', '1:00:00', '2:03:04', '–']);
  });
});

describe('the line of an epoch', () => {
  const epoch = { loss: 2.30856, samples: 640, seconds: 0.5 };

  it('has the rate, or the result of the validation in its place, with an accuracy where there is one', () => {
    assert.equal(epochText(epoch), 'loss 2.3086  1,280 samples/s  0.5 s');
    const of = (validation) => epochText({ ...epoch, validation });
    assert.equal(of({ loss: 2.5, accuracy: 0.114 }), 'loss 2.3086  validation 2.5000, 11.4 %  0.5 s');
    assert.equal(of({ loss: 2.5, accuracy: Number.NaN }), 'loss 2.3086  validation 2.5000  0.5 s');
  });
});

describe('barLine', () => {
  const colors = { cyan: String, dim: String };
  const line = { label: 'Epoch 1/3', share: 0.5, text: 'loss 1.2345  5,000 samples/s  1:23 left' };

  it('never reaches the last column', () => {
    for (let columns = 70; columns < 200; columns++) assert.ok(barLine(line, columns, colors).length < columns);
  });

  it('shows as much of the bar as is done', () => {
    const drawn = barLine(line, 120, colors);
    assert.equal(drawn.match(/█/g).length, drawn.match(/░/g).length);
    assert.match(drawn, /^Epoch 1\/3 {2}█+░+ {3}50 % {2}loss 1\.2345/);
  });

  it('leaves the bar out where there is no room for it', () => {
    assert.doesNotMatch(barLine(line, 60, colors), /[█░]/);
  });
});
