// A model that answers over HTTP and learns from what it is told meanwhile.
import process from 'node:process';
import Fastify from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, register } from 'prom-client';
import { OnlineLearner } from 'torch-incremental';

const { PORT = '3000', LEARNER = './learner', CHECKPOINT = './pretrained_model.pth', HOSTS = '' } = process.env;

const learner = await OnlineLearner.open({
  dir: LEARNER,
  checkpoint: CHECKPOINT,
  batchSize: 64,
  maxDelayMs: 50,
  replay: { capacity: 5000 },
  // Training takes the cores that predictions leave over.
  niceness: 19,
});

// The model of this server has one input.
const [{ dtype, shape }] = learner.sample.inputs;
const sampleBytes = shape.reduce((product, side) => product * side, dtype === 'float32' ? 4 : 1);
const base64Length = 4 * Math.ceil(sampleBytes / 3);

// A misspelt field is a mistake, not nothing.
const strict = { removeAdditional: false, coerceTypes: false, allowUnionTypes: true };
const app = Fastify({
  logger: true,
  // A sample, and room for the rest.
  bodyLimit: base64Length + 2 ** 14,
  // Nobody takes a connection for ever by sending nothing.
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  ajv: { customOptions: strict },
});
// The learner needs descriptors for its files.
app.server.maxConnections = 1000;

// Any web page can make a browser send requests to this machine. They are recognised by what the browser adds: a host of another
// name (one that was pointed at this machine meanwhile), another origin, or a content type that pages may send without asking.
// They may not send JSON so.
const refused = (statusCode, message) => Object.assign(new Error(message), { statusCode, code: 'ERR_REFUSED' });
app.removeContentTypeParser('text/plain');
app.addHook('onRequest', async ({ method, headers, socket }) => {
  const { host = '', origin, 'sec-fetch-site': site, 'content-type': type = '' } = headers;
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${socket.localPort}`);
  const hosts = [...names, ...HOSTS.split(',').filter(Boolean)];
  if (!hosts.includes(host.toLowerCase()))
    throw refused(403, `Expected ${hosts.join(' or ')} as host; HOSTS adds others`);
  const isOurs = origin === undefined || hosts.some((name) => [`http://${name}`, `https://${name}`].includes(origin));
  if (!isOurs || ![undefined, 'same-origin', 'none'].includes(site)) throw refused(403, 'Expected no other origin');
  const isJson = /^application\/json *(;|$)/i.test(type);
  if (!['GET', 'HEAD'].includes(method) && !isJson) throw refused(415, 'Expected content-type: application/json');
});

// To stop: answer what is under way, hang up, learn what waits.
let stopping = false;
const stop = () => {
  stopping = true;
  app.close();
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
app.addHook('onSend', async (_, reply) => {
  if (stopping) reply.header('connection', 'close');
});
app.addHook('onClose', () => learner.close());

const id = { type: ['string', 'integer'], maxLength: 256 };
const label = { type: 'integer' };
/** Base64 of a sample's bytes. */
const input = { type: 'string', minLength: base64Length, maxLength: base64Length, pattern: '^[A-Za-z0-9+/]*={0,2}$' };
const bodyOf = (properties, required = Object.keys(properties)) => ({
  schema: { body: { type: 'object', properties, required, additionalProperties: false } },
});
const valuesOf = (base64) => {
  const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'));
  return dtype === 'float32' ? new Float32Array(buffer) : new Uint8Array(buffer);
};

app.post('/predict', bodyOf({ input }), async ({ body }) => {
  const { ids, labels, logits, version } = await learner.predict(valuesOf(body.input));
  // With the id, the label can be told later.
  return { id: ids[0], label: labels[0], logits: Array.from(logits), version };
});

// An id makes it safe to send a sample again, as after a timeout: it is learned once.
app.post('/learn', bodyOf({ input, label, id }, ['input', 'label']), async ({ body }) => {
  const ids = body.id === undefined ? {} : { ids: [body.id] };
  return learner.learn({ inputs: valuesOf(body.input), labels: [body.label], ...ids });
});

app.post('/feedback', bodyOf({ id: { type: 'string', maxLength: 256 }, label }), async ({ body }) =>
  learner.feedback(body.id, body.label),
);

app.get('/versions', async () => learner.versions());

app.post('/rollback', bodyOf({ version: { type: 'integer' } }, []), async ({ body }) => learner.rollback(body.version));

app.get('/metrics', async (_, reply) => reply.type(register.contentType).send(await register.metrics()));

app.setErrorHandler((error, _, reply) => {
  const isMistake = ['ERR_INVALID_OPTION', 'ERR_SHAPE'].includes(error.code);
  const status = isMistake ? 400 : (error.statusCode ?? 500);
  if (status >= 500) app.log.error(error);
  reply.code(status).send({ error: { code: error.code, message: error.message } });
});

// The learner keeps its own counts, over all its lives: they are read when Prometheus asks.
collectDefaultMetrics();
const counters = {
  updates: 'Updates of the weights',
  offered: 'Samples that came',
  learned: 'Samples that were learned',
  duplicates: 'Samples that had been learned before',
  quarantined: 'Samples that were set aside',
  drifts: 'Drifts that were detected',
  refused: 'Versions that may not serve',
};
for (const [name, help] of Object.entries(counters)) {
  new Counter({
    name: `learner_${name}_total`,
    help,
    collect() {
      this.reset();
      this.inc(learner.metrics()[name]);
    },
  });
}
const gauges = {
  version: ['The newest version', ({ version }) => version],
  queued: ['Samples that wait to be learned', ({ queued }) => queued],
  accuracy: [
    'Predicted right before it was learned, share of the last 1,000',
    ({ prequential }) => prequential.windowed.accuracy,
  ],
  loss: ['Mean loss of the same', ({ prequential }) => prequential.windowed.loss],
};
for (const [name, [help, value]] of Object.entries(gauges)) {
  new Gauge({
    name: `learner_${name}`,
    help,
    collect() {
      this.set(value(learner.metrics()));
    },
  });
}

// This machine alone: who can reach it can teach it. Put what checks who asks in front of it.
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
