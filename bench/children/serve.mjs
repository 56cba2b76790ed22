// Predicts one sample every few milliseconds, whether or not the last answer is there, while training goes on in the same
// process; prints the milliseconds of each: { root, checkpoint, train, options, seconds, every }.
import { cifar10, loadState, net, predict, trainIncremental } from 'torch-incremental';
import { allImages } from '../support.mjs';

const { root, checkpoint, train, options, seconds, every } = JSON.parse(process.argv[2]);
const state = await loadState(checkpoint);
const pixels = allImages(64);
const model = net();
const ask = (index) => predict(state, pixels.subarray(index * 3072, (index + 1) * 3072), { model, threads: 1 });
// Until it is compiled.
for (let i = 0; i < 1000; i++) await ask(i % 64);

const end = new AbortController();
const { signal } = end;
let begun;
const running = new Promise((resolve) => {
  begun = resolve;
});
const training = train
  ? trainIncremental(checkpoint, {
      model,
      data: cifar10({ root }),
      epochs: 1e4,
      seed: 0,
      signal,
      onProgress: begun,
      ...options,
    })
  : undefined;
const trained = training?.catch((error) => error);
// A refusal comes before the first event.
const early = train ? await Promise.race([running.then(() => undefined), trained]) : undefined;
if (early?.code === 'ERR_INVALID_OPTION') {
  console.log(JSON.stringify({ refused: early.message }));
} else if (early) throw early;
else {
  const times = [];
  const answers = [];
  let asked = 0;
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      const started = performance.now();
      answers.push(ask(asked++ % 64).then(() => times.push(performance.now() - started)));
      if (asked < (seconds * 1000) / every) return;
      clearInterval(timer);
      resolve();
    }, every);
  });
  await Promise.all(answers);
  end.abort();
  const ended = await trained;
  if (ended !== undefined && ended !== signal.reason) throw ended;
  console.log(JSON.stringify({ times: times.map((time) => Number(time.toFixed(4))) }));
}
