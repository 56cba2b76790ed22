// How long the event loop is held up while the seed job trains on both cores: delays of a 1 ms timer.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cifar10, trainIncremental } from 'torch-incremental';
import { images, pretrained, report, workFolder } from './support.mjs';

const checkpoint = await pretrained(workFolder());
const delays = monitorEventLoopDelay({ resolution: 1 });
let events = 0;
await trainIncremental(checkpoint, {
  data: cifar10({ root: images() }),
  epochs: 5,
  seed: 0,
  onProgress: () => {
    // From the first event on: before it, modules are compiled and libtorch is loaded.
    if (events++ === 0) delays.enable();
  },
});
delays.disable();
const milliseconds = (nanoseconds) => nanoseconds / 1e6;
const [p50, p99, max] = [delays.percentile(50), delays.percentile(99), delays.max].map(milliseconds);
report(
  'event-loop delay while training',
  { p50, p99, max, unit: 'ms', events },
  `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, max ${max.toFixed(2)} ms (${events} events delivered)`,
);
