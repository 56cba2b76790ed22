// Learns from a Redis stream: every entry once, however often this process, its connection or the machine fails.
//
// An entry is acknowledged when learn() has resolved, which is when what was learned is on the disk. One that was delivered and
// not acknowledged comes again. Its id is the sample's id, and a learner learns no id twice: that makes it once.
import process from 'node:process';
import { Redis } from 'ioredis';
import { OnlineLearner } from 'torch-incremental';

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  STREAM = 'samples',
  GROUP = 'learner',
  LEARNER = './learner',
  CHECKPOINT = './pretrained_model.pth',
} = process.env;

const consumer = 'learner';
const batchSize = 64;
/** Entries in hand: one batch is learned while the next one fills. */
const most = 2 * batchSize;
/** An entry that is pending for so long, while this process runs, was lost on its way. */
const lostAfterMs = 60_000;

const learner = await OnlineLearner.open({
  dir: LEARNER,
  checkpoint: CHECKPOINT,
  batchSize,
  replay: { capacity: 5000 },
  // Redis forgets what is acknowledged: it has to survive a loss of power here.
  journal: { sync: 'always' },
});

// Two connections, because one of them is busy waiting for entries.
const [reading, redis] = [new Redis(REDIS_URL), new Redis(REDIS_URL)];
for (const connection of [reading, redis]) connection.on('error', (error) => console.error(error.message));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    stopping = true;
  });
}

await createGroup();
const timer = setInterval(report, 5000);
const working = new Set();
for await (const entry of entries()) {
  const work = learn(entry).finally(() => working.delete(work));
  working.add(work);
  if (working.size >= most) await Promise.race(working);
}
await Promise.all(working);
clearInterval(timer);
await learner.close();
await Promise.all([reading.quit(), redis.quit()]);
report();

async function learn([id, fields]) {
  const { input, label } = sampleIn(fields);
  // What is no sample of this model is set aside in the learner's folder and acknowledged too: it will never become one.
  await learner.learn({ inputs: input, labels: [label], ids: [id.toString()] });
  await redis.xack(STREAM, GROUP, id);
}

/** What earlier lives left behind, then what comes. */
async function* entries() {
  // Nobody else is at work on these: only one process at a time can have the learner open.
  yield* pending(0);
  for (let checked = Date.now(); !stopping; ) {
    const where = ['COUNT', batchSize, 'BLOCK', 500, 'STREAMS', STREAM, '>'];
    const found = await reading.xreadgroupBuffer('GROUP', GROUP, consumer, ...where);
    if (found) yield* found[0][1];
    if (Date.now() - checked < lostAfterMs) continue;
    yield* pending(lostAfterMs);
    checked = Date.now();
  }
}

/** Entries that were delivered at least so long ago, and not acknowledged. */
async function* pending(idleMs) {
  for (let next = '0-0'; !stopping; ) {
    const [cursor, found] = await reading.xautoclaimBuffer(STREAM, GROUP, consumer, idleMs, next, 'COUNT', batchSize);
    yield* found;
    next = cursor.toString();
    if (next === '0-0') return;
  }
}

/** Of an entry's fields, which are a list [name, value, name, value …] of bytes. */
function sampleIn(list) {
  const fields = new Map();
  for (let i = 0; i < list.length; i += 2) fields.set(list[i].toString(), list[i + 1]);
  return { input: fields.get('input') ?? new Uint8Array(0), label: Number(fields.get('label')) };
}

/** It begins with the stream's first entry. */
async function createGroup() {
  try {
    await redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  } catch (error) {
    if (!error.message.startsWith('BUSYGROUP')) throw error;
  }
}

function report() {
  const { learned, duplicates, quarantined, version, prequential } = learner.metrics();
  const right = `${(100 * prequential.windowed.accuracy).toFixed(1)} % were right before`;
  console.log(`learned ${learned} (${right}), ${duplicates} came again, ${quarantined} set aside, version ${version}`);
}
