// Training as a stream of events that Ctrl-C or a time limit can stop. Prints the reference script's lines and saves the result
// when all epochs are done; when stopped, nothing is written and the state that training began with is as it was.
//
//     node examples/02-events-and-abort.mjs [folder with CIFAR-10] [epochs] [seconds at most]
import { cifar10, createState, net, saveState, trainEvents } from 'torch-incremental';

const [root = './data', epochs = 10, seconds = 600] = process.argv.slice(2);
const controller = new AbortController();
const { signal } = controller;
process.once('SIGINT', () => controller.abort(new Error('interrupted')));
setTimeout(() => controller.abort(new Error('timeout')), 1000 * Number(seconds)).unref();

const untrained = await createState(net(), { seed: 0 });
const events = trainEvents(untrained, { data: cifar10({ root }), epochs: Number(epochs), seed: 0, signal });
try {
  // for await would do where only the events matter; the last next() brings the result.
  let next = await events.next();
  for (; !next.done; next = await events.next()) {
    const { type, epoch, step, loss, seconds: duration } = next.value;
    if (type === 'log') console.log(`epoch ${epoch}, step ${step}: loss ${loss.toFixed(4)}`);
    if (type === 'epoch') console.log(`epoch ${epoch}: mean loss ${loss.toFixed(4)}, ${duration.toFixed(1)} s`);
  }
  await saveState(next.value.state, 'events_model.pth');
} catch (reason) {
  if (!signal.aborted) throw reason;
  console.log(`stopped: ${reason.message}`);
  process.exitCode = 1;
}
