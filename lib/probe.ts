// Run by lib/doctor.ts in a process of its own, because a wrong libtorch or CPU can end a process. Loads the addon, with
// --train also makes one training step, and says a line of JSON about each; that it got there is the news.
import { chooseDevice } from './device';
import { arrays, createState, net, trainIncremental } from './index';
import { native } from './native';

async function sayDevice(): Promise<void> {
  console.log(JSON.stringify({ stage: 'device', device: await chooseDevice() }));
}

async function trainOneStep(): Promise<void> {
  const inputs = Uint8Array.from({ length: 2 * 3 * 32 * 32 }, (_, index) => (index * 37) % 256);
  const data = arrays({ inputs, labels: Int32Array.of(0, 1), shape: [3, 32, 32], classes: 10 });
  const state = await createState(net(), { seed: 0 });
  const { history } = await trainIncremental(state, { data, epochs: 1, batchSize: 2, seed: 0 });
  console.log(JSON.stringify({ stage: 'trained', loss: history[0]?.loss }));
}

console.log(JSON.stringify({ stage: 'loaded', info: native().info() }));
void sayDevice().then(() => {
  if (process.argv.includes('--train')) return trainOneStep();
});
