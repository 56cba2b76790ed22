// `torch-incremental online` fed from standard input: learning, answers, refusals, and the folder.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createState, loadState, net, OnlineLearner, predict, saveState, sgd } from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { begin, endLeftovers, lessons, take } from './online-support.mjs';
import { lines, run } from './run.mjs';

/** Full batches only, however long that takes: results do not depend on when samples arrive. */
const patient = ['--max-delay-ms', '600000'];

/** Predictions made together differ from single ones in their last bits. */
function assertClose(actual, expected) {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries()) assert.ok(Math.abs(value - expected[i]) < 1e-5, `${actual} ${expected}`);
}

describe('command line: online', () => {
  const at = temporaryFolder();
  const images = madeUpImages(200);
  const base64 = (index) => Buffer.from(images.inputs.subarray(index * 3072, (index + 1) * 3072)).toString('base64');
  const settings = ['--batch-size', '16', '--seed', '1', '--lr', '0.01', '--threads', '1'];

  before(async () => {
    await saveState(await createState(net(), { seed: 0 }), at('net.pth'));
  });
  afterEach(endLeftovers);

  const online = (dir, ...args) => begin(['net.pth', '--dir', dir, ...settings, ...args], { cwd: at() });

  it('learns what the API learns, to the bit, and answers in the order of the lines', async () => {
    const options = { batchSize: 16, seed: 1, optimizer: sgd({ learningRate: 0.01 }), threads: 1, maxDelayMs: 600_000 };
    const learner = await OnlineLearner.open({ dir: at('api'), checkpoint: at('net.pth'), ...options });
    const ids = Array.from(images.labels, (_, i) => `image ${i}`);
    const learning = learner.learn({ inputs: images.inputs, labels: images.labels, ids });
    await learner.close();
    const expected = await learning;

    const { code, stderr, answers } = await online('stdin', ...patient).finish(...lessons(images));
    assert.equal(code, 0);
    assert.deepEqual(lines(stderr), [
      `Learned 200 samples in 13 updates; ${(expected.prequential.correct / 2).toFixed(1)} % of the last 200 were right before`,
      'The newest version is 0; the learner is in stdin',
    ]);
    assert.deepEqual(
      answers.map(({ id }) => id),
      ids,
    );
    assert.equal(answers.filter(({ correct }) => correct).length, expected.prequential.correct);
    const mean = answers.reduce((sum, { loss }) => sum + loss, 0) / 200;
    assert.ok(Math.abs(mean - expected.prequential.loss) < 1e-9);

    const [one, other] = await Promise.all(['api', 'stdin'].map((dir) => OnlineLearner.open({ dir: at(dir) })));
    assert.equal(await one.fingerprint(), await other.fingerprint());
    await Promise.all([one.close(), other.close()]);
  });

  it('predicts with the weights that serve, from base64, numbers or rows of numbers', async () => {
    const input = images.inputs.subarray(0, 3072);
    const rows = [0, 1, 2].map((c) =>
      Array.from({ length: 32 }, (_, y) => [...input.subarray((c * 32 + y) * 32, (c * 32 + y + 1) * 32)]),
    );
    const { code, answers } = await online('predict').finish(
      { input: base64(0), id: 7 },
      { input: [...input] },
      { input: rows },
    );
    assert.equal(code, 0);
    const { logits, labels } = await predict(at('net.pth'), input, { threads: 1 });
    for (const answer of answers) {
      assert.equal(answer.label, labels[0]);
      assert.deepEqual(answer.version, { durable: 0, updates: 0 });
      assertClose(answer.logits, logits);
    }
  });

  it('takes float32 values with --inputs float32, as base64 of their bytes or as numbers', async () => {
    const values = Float32Array.from(images.inputs.subarray(0, 3072), (value) => value / 255 - 0.5);
    const bytes = Buffer.from(values.buffer).toString('base64');
    const shifted = Buffer.from(values.buffer, 1, 3071).toString('base64');
    const float = (...lines) => online('float32', '--inputs', 'float32').finish(...lines);
    const { answers } = await float(
      { input: bytes },
      { input: [...values] },
      { input: shifted },
      { input: bytes, label: 3 },
    );
    const { logits } = await predict(at('net.pth'), values, { threads: 1 });
    assertClose(answers[0].logits, logits);
    assertClose(answers[1].logits, logits);
    assert.match(answers[2].error.message, /float32 values, 4 bytes each, .* 3071 bytes/);
    assert.equal(typeof answers[3].correct, 'boolean');
    // The folder remembers it.
    const again = await begin(['--dir', 'float32'], { cwd: at() }).finish({ input: bytes }, { metrics: true });
    assert.equal(again.answers[1].metrics.learned, 1);
    assert.equal(again.answers[0].logits.length, 10);
  });

  it('computes the metrics of --metrics, which the folder keeps', async () => {
    const list = ['--metrics', 'f1Score:average=micro,auroc:thresholds=20'];
    const { answers } = await online('measured', ...list).finish(...lessons(images), { metrics: true });
    const { accuracy, metrics, windowed } = answers.at(-1).metrics.prequential;
    assert.deepEqual(Object.keys(metrics), ['f1Score:average=micro', 'auroc:thresholds=20']);
    assert.equal(metrics['f1Score:average=micro'], accuracy);
    const again = await begin(['--dir', 'measured'], { cwd: at() }).finish({ metrics: true });
    assert.deepEqual(again.answers[0].metrics.prequential.windowed.metrics, windowed.metrics);
  });

  it('answers an invalid line with the error and the number of the line, and continues', async () => {
    const input = base64(0);
    const broken = [
      ['hello', 'ERR_DATA_FORMAT', /Expected a line of JSON: .*hello/],
      ['{"input": "', 'ERR_DATA_FORMAT', /Expected a line of JSON/],
      [Buffer.from([0x22, 0xff, 0x22]), 'ERR_DATA_FORMAT', /Expected a line of JSON/],
      ['[1]', 'ERR_DATA_FORMAT', /Expected a JSON object/],
      [{}, 'ERR_INVALID_OPTION', /Expected a field "input"/],
      [{ label: 3 }, 'ERR_INVALID_OPTION', /Expected a field "input"/],
      [{ input, lable: 3 }, 'ERR_INVALID_OPTION', /Unknown field "lable"; did you mean "label"\?/],
      [{ metrics: true, label: 3 }, 'ERR_INVALID_OPTION', /Unknown field "label"; beside "metrics" there is none/],
      [{ input, label: '3' }, 'ERR_INVALID_OPTION', /an integer for "label" but received string \('3'\)/],
      [{ input, label: null }, 'ERR_INVALID_OPTION', /an integer for "label" but received null/],
      [{ input, label: 1.5 }, 'ERR_INVALID_OPTION', /an integer for "label"/],
      [`{"input": "${input}", "label": 3, "id": 12345678901234567890}`, 'ERR_INVALID_OPTION', /"id"/],
      [{ input, label: 3, id: {} }, 'ERR_INVALID_OPTION', /a string or an integer for "id"/],
      [{ input: 3, label: 3 }, 'ERR_INVALID_OPTION', /base64 or an array of numbers for "input"/],
      [{ input: 'a*b=' }, 'ERR_DATA_FORMAT', /Expected base64/],
      [{ input: `${input}a` }, 'ERR_DATA_FORMAT', /incomplete/],
      [
        { input: [1, 256] },
        'ERR_INVALID_OPTION',
        /integers from 0 to 255 for "input\[1\]" but received number \(256\)/,
      ],
      [{ input: [1, null] }, 'ERR_INVALID_OPTION', /for "input\[1\]" but received null/],
      [{ input: [1, 2] }, 'ERR_SHAPE', /Expected 3072 values .*\[3, 32, 32\], but there are 2/],
      [`{"input": "${input}", "label": 3, "label": 4}`, 'ERR_DATA_FORMAT', /each field of a line once/],
      [{ input, label: 3, id: 'x'.repeat(1025) }, 'ERR_INVALID_OPTION', /a string of at most 1 KiB for "id"/],
      [{ input, label: 3, id: '\ud800' }, 'ERR_INVALID_OPTION', /without lone surrogates for "id"/],
      [{ metrics: 1 }, 'ERR_INVALID_OPTION', /true for "metrics"/],
      [{ rollback: 'first' }, 'ERR_INVALID_OPTION', /"rollback"/],
      [{ rollback: 99 }, 'ERR_INVALID_OPTION', /versions 0/],
      [{ rollback: true }, 'ERR_INVALID_OPTION', /no version before 0/],
      [{ save: '' }, 'ERR_INVALID_OPTION', /a file path for "save"/],
      [{ save: at('no/such/folder/x.pth') }, 'ERR_FILE', /no\/such\/folder/],
    ];
    const command = online('broken');
    for (const [line] of broken) {
      if (Buffer.isBuffer(line)) command.child.stdin.write(Buffer.concat([line, Buffer.from('\n')]));
      else command.send(line);
    }
    // An empty line is not a request; the last line needs no line feed.
    command.send('', '  \r');
    command.child.stdin.write(JSON.stringify({ input, label: 3 }));
    const { code, answers } = await command.finish();
    assert.equal(code, 0);
    assert.equal(answers.length, broken.length + 1);
    for (const [i, [line, errorCode, message]] of broken.entries()) {
      assert.equal(answers[i].error?.code, errorCode, `${line}: ${JSON.stringify(answers[i])}`);
      assert.match(answers[i].error.message, message);
      assert.equal(answers[i].line, i + 1);
    }
    assert.equal(typeof answers.at(-1).correct, 'boolean');
  });

  it('answers questions about its state between the lines before and the lines after', async () => {
    const [first, second] = [lessons(images).slice(0, 48), lessons(images).slice(48, 96)];
    const { code, answers } = await online('state', '--gate-every', '2', ...patient).finish(
      ...[...first, { metrics: true }, { publish: true }, { versions: true }, { save: 'saved.pth' }],
      ...[{ rollback: 0 }, ...second, { rollback: null }, { metrics: true }],
    );
    assert.equal(code, 0);
    const [metrics, published, versions, saved, back] = answers.slice(48, 53);
    assert.equal(metrics.metrics.learned, 48);
    assert.equal(metrics.metrics.queued, 0);
    assert.deepEqual(
      versions.versions.map(({ version }) => version),
      [0, 1, 2],
    );
    assert.deepEqual([published, saved, back], [{ publish: 2 }, { save: 'saved.pth', version: 2 }, { rollback: 0 }]);
    assert.ok((await loadState(at('saved.pth'))).equals(await loadState(at('state/versions/version-000000002.pth'))));
    assert.equal(answers.at(-1).metrics.learned, 96);
    assert.ok(answers.at(-2).rollback <= answers.at(-3).version);
    assert.equal(answers.at(-1).metrics.version, answers.at(-2).rollback);
  });

  it('joins a late label with the prediction, under the id in its answer', async () => {
    const command = online('late');
    const [own, given] = await command.ask({ input: base64(0) }, { input: base64(1), id: 'mine' });
    assert.equal(given.id, 'mine');
    const labels = [...images.labels];
    const late = [
      { feedback: own.id, label: labels[0] },
      { feedback: given.feedback, label: labels[1] },
      { feedback: 'nobody', label: 3 },
    ];
    const { answers } = await command.finish(...late, { metrics: true });
    assert.equal(answers.at(-1).metrics.learned, 2);
    assert.deepEqual(
      answers.slice(0, 2).map(({ correct }) => correct),
      [own.label === labels[0], given.label === labels[1]],
    );
    assert.equal(answers[2].unknown, true);
  });

  it('remembers no predictions with --feedback-ttl-ms 0', async () => {
    const { answers } = await online('forgets', '--feedback-ttl-ms', '0').finish(
      { input: base64(0) },
      { input: base64(0), id: 1 },
    );
    assert.deepEqual(
      answers.map(({ id, feedback }) => [id, feedback]),
      [
        [undefined, undefined],
        [1, undefined],
      ],
    );
  });

  it('sets samples aside that cannot be learned, and reports it', async () => {
    const { answers } = await online('aside').finish(
      { id: 1, input: [1, 2], label: 3 },
      { id: 2, input: base64(0), label: 10 },
    );
    assert.deepEqual(
      answers.map(({ reason: { code }, ...answer }) => ({ ...answer, code })),
      [
        { id: 1, version: 0, quarantined: true, code: 'shape' },
        { id: 2, version: 0, quarantined: true, code: 'label' },
      ],
    );
    assert.match(answers[1].reason.message, /label/);
    assert.equal(lines(fs.readFileSync(at('aside/quarantine.ndjson'), 'utf8')).length, 2);
  });

  it('learns each sample once despite kills, and answers repeated ones as duplicates', async () => {
    const all = lessons(images);
    const seen = new Set();
    for (let life = 0; life < 4; life++) {
      const command = online('killed', '--gate-every', '3', '--max-delay-ms', '5');
      command.send(...all.slice(0, 60 * (life + 1)));
      for (const { id } of await take(command.answers, 30 + 40 * life)) seen.add(id);
      command.child.kill('SIGKILL');
      assert.equal((await command.ended).signal, 'SIGKILL');
    }
    const { code, answers } = await begin(['--dir', 'killed'], { cwd: at() }).finish(...all, { metrics: true });
    assert.equal(code, 0);
    for (const { id, duplicate, correct } of answers.slice(0, 200)) {
      assert.ok(duplicate ? correct === undefined : typeof correct === 'boolean');
      // Answered samples are learned.
      if (seen.has(id)) assert.ok(duplicate, id);
    }
    assert.equal(answers.at(-1).metrics.learned, 200);
  });

  it('passes every option on to the API', async () => {
    fs.mkdirSync(at('images/cifar-10-batches-bin'), { recursive: true });
    const { inputs, labels } = madeUpImages(20, 9);
    const rows = Array.from(labels, (label, i) =>
      Buffer.concat([Buffer.from([label]), inputs.subarray(i * 3072, (i + 1) * 3072)]),
    );
    fs.writeFileSync(at('images/cifar-10-batches-bin/test_batch.bin'), Buffer.concat(rows));
    const replay = ['--replay', '100', '--replay-policy', 'classBalanced', '--replay-per-update', '8'];
    const gate = ['--gate-every', '7', '--held-out', 'images', '--max-drop', '0.2', '--per-class-max-drop', '0.3'];
    const drift = ['--drift', 'pageHinkley', '--on-drift', 'boostReplay'];
    const other = ['--momentum', '0.5', '--mode', 'fast', '--keep-versions', '3', '--sync', 'always'];
    const all = [...replay, ...gate, ...drift, ...other];
    const { code, stderr } = await online('options', ...all).finish(...lessons(images).slice(0, 30));
    assert.equal(code, 0, stderr);
    const { settings: kept } = JSON.parse(fs.readFileSync(at('options/versions/version-000000000.json'), 'utf8'));
    const { batchSize, optimizer, seed, threads, mode, keepVersions } = kept;
    assert.deepEqual(
      { batchSize, optimizer, seed, threads, mode, keepVersions },
      {
        batchSize: 16,
        optimizer: sgd({ learningRate: 0.01, momentum: 0.5 }),
        seed: 1,
        threads: 1,
        mode: 'fast',
        keepVersions: 3,
      },
    );
    assert.deepEqual(kept.replay, { capacity: 100, policy: 'classBalanced', perUpdate: 8 });
    assert.deepEqual(kept.gate, { every: 7, maxDrop: 0.2, perClassMaxDrop: 0.3, onRefused: 'rollback' });
    assert.match(kept.heldOut, /^[0-9a-f]{64}$/);
    assert.equal(kept.drift.detector.kind, 'pageHinkley');
    assert.equal(kept.drift.onDrift, 'boostReplay');
  });

  it('runs once at a time in a folder, and cannot begin without a checkpoint', async () => {
    const first = online('one');
    await first.ask({ metrics: true });
    const second = await run(['online', 'net.pth', '--dir', 'one'], { cwd: at() });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^error\[ERR_BUSY\]: /);
    assert.equal((await first.finish()).code, 0);
    const none = await run(['online', '--dir', 'none'], { cwd: at() });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /holds no learner/);
  });
});
