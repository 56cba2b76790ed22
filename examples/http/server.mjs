// A model that answers over HTTP and learns from what it is told meanwhile.
import process from 'node:process';
import Fastify from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, register } from 'prom-client';
import { OnlineLearner } from 'torch-incremental';

const { PORT = '3000', LEARNER = './learner', CHECKPOINT = './pretrained_model.pth' } = process.env;

const learner = await OnlineLearner.open({
  dir: LEARNER,
  checkpoint: CHECKPOINT,
  batchSize: 64,
  maxDelayMs: 50,
  replay: { capacity: 5000 },
  // Training takes the cores that predictions leave over.
  niceness: 19,
});

// A misspelt field is a mistake, not nothing.
const strict = { removeAdditional: false, coerceTypes: false, allowUnionTypes: true };
const app = Fastify({ logger: true, bodyLimit: 2 ** 20, keepAliveTimeout: 5000, ajv: { customOptions: strict } });

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

const id = { type: ['string', 'integer'] };
const label = { type: 'integer' };
/** Base64 of a sample's bytes. */
const input = { type: 'string' };
const bodyOf = (properties, required = Object.keys(properties)) => ({
  schema: { body: { type: ['object', 'null'], properties, required, additionalProperties: false } },
});
const bytesOf = (base64) => new Uint8Array(Buffer.from(base64, 'base64'));

app.post('/predict', bodyOf({ input }), async ({ body }) => {
  const { ids, labels, logits, version } = await learner.predict(bytesOf(body.input));
  // With the id, the label can be told later.
  return { id: ids[0], label: labels[0], logits: Array.from(logits), version };
});

// An id makes it safe to send a sample again, as after a timeout: it is learned once.
app.post('/learn', bodyOf({ input, label, id }, ['input', 'label']), async ({ body }) => {
  const ids = body.id === undefined ? {} : { ids: [body.id] };
  return learner.learn({ inputs: bytesOf(body.input), labels: [body.label], ...ids });
});

app.post('/feedback', bodyOf({ id: { type: 'string' }, label }), async ({ body }) =>
  learner.feedback(body.id, body.label),
);

app.get('/versions', async () => learner.versions());

app.post('/rollback', bodyOf({ version: { type: 'integer' } }, []), async ({ body }) =>
  learner.rollback(body?.version),
);

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
  version: ['The version that serves', ({ version }) => version],
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
