// examples/http, asked over HTTP.
import assert from 'node:assert/strict';
import { createState, net, saveState } from 'torch-incremental';
import { madeUpImages, temporaryFolder } from '../support.mjs';
import { copyExample, endLeftovers, start } from './support.mjs';

describe('the example http', () => {
  const at = temporaryFolder();
  const images = madeUpImages(100);
  const base64 = (index) => Buffer.from(images.inputs.subarray(index * 3072, (index + 1) * 3072)).toString('base64');
  let server;
  let address;

  before(async () => {
    copyExample('http', at('example'));
    await saveState(await createState(net(), { seed: 0 }), at('example/pretrained_model.pth'));
  });

  beforeEach(async () => {
    server = start(process.execPath, ['server.mjs'], { cwd: at('example'), env: { PORT: '0' } });
    [, address] = await server.says(/listening at (http:\/\/127\.0\.0\.1:\d+)/);
  });

  afterEach(endLeftovers);

  async function post(path, body, headers = { 'content-type': 'application/json' }) {
    const response = await fetch(`${address}${path}`, { method: 'POST', headers, body: body && JSON.stringify(body) });
    return { status: response.status, ...(await response.json()) };
  }

  /** Values by name, and the types, of Prometheus' text format; what is neither throws. */
  async function scrape() {
    const response = await fetch(`${address}/metrics`);
    assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const [values, types] = [new Map(), new Map()];
    for (const line of (await response.text()).split('\n')) {
      const [, name, type] = line.match(/^# TYPE (\w+) (counter|gauge|histogram|summary)$/) ?? [];
      if (name) types.set(name, type);
      if (line === '' || line.startsWith('#')) continue;
      const [, series, value] = line.match(/^(\w+(?:\{.*\})?) (-?\d[\d.e+-]*|Nan|NaN|[+-]Inf)$/) ?? assert.fail(line);
      values.set(series, Number(value));
    }
    return { values, types };
  }

  it('predicts, learns, and tells how it does', async () => {
    const prediction = await post('/predict', { input: base64(0) });
    assert.equal(prediction.status, 200);
    assert.equal(prediction.logits.length, 10);
    assert.equal(prediction.label, prediction.logits.indexOf(Math.max(...prediction.logits)));

    const lessons = Array.from(images.labels, (label, i) => post('/learn', { id: i, input: base64(i), label }));
    const learned = await Promise.all(lessons);
    assert.deepEqual([...new Set(learned.map(({ status, updates }) => `${status} ${updates}`))], ['200 1']);
    const again = await post('/learn', { id: 7, input: base64(7), label: images.labels[7] });
    assert.equal(again.duplicates, 1);
    const wrong = await post('/learn', { input: 'AAAA', label: 3 });
    assert.equal(wrong.quarantined, 1);

    const { values, types } = await scrape();
    assert.equal(values.get('learner_learned_total'), 100);
    assert.equal(values.get('learner_duplicates_total'), 1);
    assert.equal(values.get('learner_quarantined_total'), 1);
    assert.equal(values.get('learner_version'), 0);
    assert.ok(values.get('learner_accuracy') >= 0);
    assert.equal(types.get('learner_learned_total'), 'counter');
    assert.equal(types.get('learner_accuracy'), 'gauge');
    assert.ok(values.has('nodejs_eventloop_lag_p99_seconds'));
  });

  it('learns a label that comes later', async () => {
    const { id, label } = await post('/predict', { input: base64(0) });
    const { status, prequential } = await post('/feedback', { id, label: images.labels[0] });
    assert.equal(status, 200);
    assert.equal(prequential.correct, Number(label === images.labels[0]));
  });

  it('shows its versions, and says what it cannot do', async () => {
    const versions = await (await fetch(`${address}/versions`)).json();
    assert.equal(versions[0].version, 0);
    for (const headers of [undefined, { 'content-type': 'application/json' }]) {
      const { status, error } = await post('/rollback', headers && {}, headers ?? {});
      assert.equal(status, 400);
      assert.match(error.message, /no version before 0/);
    }
    assert.equal((await post('/rollback', { version: 0 })).version, 0);
    for (const [path, body] of [
      ['/rollback', { versoin: 0 }],
      ['/predict', { input: 'AAAA' }],
      ['/predict', null],
      ['/learn', { input: base64(0) }],
      ['/learn', { input: base64(0), label: '3' }],
    ]) {
      const { status, error } = await post(path, body);
      assert.equal(status, 400, path);
      assert.equal(typeof error.message, 'string');
    }
  });

  it('answers what is under way before it ends, and goes on where it was', async () => {
    const learnedBefore = (await scrape()).values.get('learner_learned_total');
    const lessons = Array.from(images.labels, (label, i) =>
      post('/learn', { id: `late ${i}`, input: base64(i), label }),
    );
    await Promise.race(lessons);
    server.child.kill('SIGTERM');
    const results = await Promise.allSettled(lessons);
    const answered = results.filter(({ value }) => value?.status === 200).length;
    assert.ok(answered > 0);
    assert.equal((await server.ended).code, 0);

    server = start(process.execPath, ['server.mjs'], { cwd: at('example'), env: { PORT: '0' } });
    [, address] = await server.says(/listening at (http:\/\/127\.0\.0\.1:\d+)/);
    const learned = (await scrape()).values.get('learner_learned_total') - learnedBefore;
    assert.ok(learned >= answered, `${learned} of ${answered}`);
  });
});
