// How long the event loop is held up while the reference script trains on both cores: delays of a 1 ms timer.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cifar10, trainIncremental } from 'torch-incremental';
import { report, shown } from './report.mjs';
import { images, pretrained, settings, workFolder } from './support.mjs';

const { epochs } = settings({ epochs: 5 });

const checkpoint = await pretrained(workFolder());
const delays = monitorEventLoopDelay({ resolution: 1 });
let events = 0;
await trainIncremental(checkpoint, {
  data: cifar10({ root: images() }),
  epochs,
  seed: 0,
  onProgress: () => {
    // From the first event on: before it, modules are compiled and libtorch is loaded.
    if (events++ === 0) delays.enable();
  },
});
delays.disable();
const milliseconds = (nanoseconds) => nanoseconds / 1e6;
const [p50, p99, max] = [delays.percentile(50), delays.percentile(99), delays.max].map(milliseconds);
report('Delay of the event loop while training', {
  sentence: `p50 ${shown(p50)} ms, p99 ${shown(p99)} ms, largest ${shown(max)} ms (${events} events delivered)`,
  figures: { p50, p99, max, events },
});
