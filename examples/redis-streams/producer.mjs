// Writes labelled images to a Redis stream: the records of a file of CIFAR-10's binary version, a byte for the label and 3,072
// for the pixels each.
import fs from 'node:fs';
import process from 'node:process';
import { Redis } from 'ioredis';

const { REDIS_URL = 'redis://127.0.0.1:6379', STREAM = 'samples' } = process.env;
const [file, most = Number.POSITIVE_INFINITY] = process.argv.slice(2);

const redis = new Redis(REDIS_URL);
const records = fs.readFileSync(file);
const count = Math.min(records.length / 3073, Number(most));
for (let i = 0; i < count; i++) {
  const [label, input] = [records[i * 3073], records.subarray(i * 3073 + 1, (i + 1) * 3073)];
  // Redis keeps about the last 100,000: more than a learner may ever be behind.
  await redis.xadd(STREAM, 'MAXLEN', '~', 100_000, '*', 'label', label, 'input', input);
}
await redis.quit();
console.log(`wrote ${count} entries to ${STREAM}`);
