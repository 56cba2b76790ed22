// examples/http, asked over HTTP.
import assert from 'node:assert/strict';
import http from 'node:http';
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

  async function post(path, value, headers = { 'content-type': 'application/json' }, body = JSON.stringify(value)) {
    const response = await fetch(`${address}${path}`, { method: 'POST', headers, body });
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

  it('predicts, learns, and reports how it does', async () => {
    const prediction = await post('/predict', { input: base64(0) });
    assert.equal(prediction.status, 200);
    assert.equal(prediction.logits.length, 10);
    assert.equal(prediction.label, prediction.logits.indexOf(Math.max(...prediction.logits)));

    const lessons = Array.from(images.labels, (label, i) => post('/learn', { id: i, input: base64(i), label }));
    const learned = await Promise.all(lessons);
    assert.deepEqual([...new Set(learned.map(({ status, updates }) => `${status} ${updates}`))], ['200 1']);
    const again = await post('/learn', { id: 7, input: base64(7), label: images.labels[7] });
    assert.equal(again.duplicates, 1);
    const wrong = await post('/learn', { input: base64(0), label: 10 });
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
    // The samples learned above are not part of a version yet, so they are undone first.
    assert.equal((await post('/rollback', {})).version, 0);
    const { status, error } = await post('/rollback', {});
    assert.equal(status, 400);
    assert.match(error.message, /no version before 0/);
    assert.equal((await post('/rollback', { version: 0 })).version, 0);
    for (const [path, body] of [
      ['/rollback', { versoin: 0 }],
      ['/predict', { input: 'AAAA' }],
      ['/predict', { input: base64(0) + base64(1) }],
      ['/predict', { input: `*${base64(0).slice(1)}` }],
      ['/predict', { input: `${base64(0).slice(2)}==` }],
      ['/predict', null],
      ['/learn', { input: 'AAAA', label: 3 }],
      ['/learn', { input: base64(0), label: 3, id: 'x'.repeat(257) }],
      ['/learn', { input: base64(0), label: 3, id: '\ud800'.repeat(257) }],
      ['/feedback', { id: 'x'.repeat(257), label: 3 }],
      ['/learn', { input: base64(0) }],
      ['/learn', { input: base64(0), label: '3' }],
    ]) {
      const { status, error } = await post(path, body);
      assert.equal(status, 400, path);
      assert.equal(typeof error.message, 'string');
    }
  });

  /** Status and answer to bytes as a browser may send them. */
  function send(path, headers, body = '', method = 'POST') {
    const { hostname, port, host } = new URL(address);
    return new Promise((resolve, reject) => {
      const all = { host, 'content-length': Buffer.byteLength(body), ...headers };
      const request = http.request({ hostname, port, path, method, headers: all }, async (response) => {
        let text = '';
        for await (const part of response.setEncoding('utf8')) text += part;
        resolve({ status: response.statusCode, text });
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  const json = { 'content-type': 'application/json' };
  const lesson = () => JSON.stringify({ input: base64(0), label: 3, id: 'evil' });

  it('takes JSON alone, which web pages cannot send to it', async () => {
    const offered = (await scrape()).values.get('learner_offered_total');
    for (const type of ['text/plain', 'text/plain;charset=UTF-8', 'multipart/form-data', 'application/jsonp', '']) {
      const headers = type ? { 'content-type': type } : {};
      for (const [path, body] of [
        ['/learn', lesson()],
        ['/rollback', '{"version": 0}'],
        ['/rollback', ''],
      ])
        assert.equal((await send(path, headers, body)).status, 415, `${path} ${type}`);
    }
    assert.equal(
      (await send('/rollback', { 'content-type': 'application/json; charset=utf-8' }, '{"version": 0}')).status,
      200,
    );
    assert.equal((await scrape()).values.get('learner_offered_total'), offered);
  });

  it('refuses requests of other origins, and those for a name that is not its own', async () => {
    const { host, port } = new URL(address);
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `http://evil.example:${port}` },
      { origin: 'http://127.0.0.1:1' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      // A name of the attacker that leads to this machine by now.
      { host: `evil.example:${port}`, origin: `http://evil.example:${port}`, 'sec-fetch-site': 'same-origin' },
      { host: 'evil.example' },
      { host: '127.0.0.1:1' },
    ]) {
      for (const [path, body, method] of [
        ['/learn', lesson()],
        ['/predict', lesson()],
        ['/rollback', '{"version": 0}'],
        ['/metrics', '', 'GET'],
        ['/versions', '', 'GET'],
        ['/learn', '', 'OPTIONS'],
      ]) {
        const { status, text } = await send(path, { ...json, ...headers }, body, method);
        assert.equal(status, 403, `${path} ${JSON.stringify(headers)} ${text}`);
      }
    }
    for (const headers of [
      { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
      { host: `localhost:${port}`, 'sec-fetch-site': 'none' },
      { host: `LOCALHOST:${port}` },
    ])
      assert.equal((await send('/rollback', { ...json, ...headers }, '{"version": 0}')).status, 200);
  });

  it('reads no body that is longer than a sample needs', async () => {
    for (const body of [`{"input": "${'A'.repeat(2 ** 21)}"}`, `${' '.repeat(40_000)}{}`]) {
      const { status } = await post('/predict', undefined, undefined, body);
      assert.equal(status, 413);
    }
  });

  it('answers what is under way before it ends, and resumes where it was', async () => {
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
