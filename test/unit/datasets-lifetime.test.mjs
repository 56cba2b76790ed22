import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Runs a program that has `start()`: endless batches, of which `first` resolves with the first. */
function run(program) {
  const prelude = `
    const { batches } = require(${JSON.stringify(`${dist}datasets/batches.js`)});
    const { arrays } = require(${JSON.stringify(`${dist}datasets/arrays.js`)});
    const { Worker, isMainThread, parentPort } = require('node:worker_threads');
    const data = arrays({ inputs: new Uint8Array(3072 * 100), labels: new Array(100).fill(0), shape: [3, 32, 32] });
    const endless = () => batches(data, { epochs: 1e9, batchSize: 50 });
    const consume = async (each) => { for await (const batch of endless()) await each(batch); };
  `;
  const { status, signal, stderr, stdout } = spawnSync(process.execPath, ['--expose-gc', '-e', prelude + program], {
    encoding: 'utf8',
    timeout: 50_000,
  });
  return { status, signal, stderr, stdout: stdout.trim() };
}

const clean = (code, stdout = '') => ({ status: code, signal: null, stderr: '', stdout });

describe('batches that are being made', () => {
  it('do not hold up process.exit() nor change its code', () => {
    assert.deepEqual(run('consume(() => process.exit(3))'), clean(3));
    assert.deepEqual(run('consume(() => {}); setTimeout(() => process.exit(4), 300)'), clean(4));
  });

  it('do not hold up a natural end when nobody asks for the next', () => {
    assert.deepEqual(run('endless().next().then(() => console.log("over"))'), clean(0, 'over'));
  });

  it('end with the worker thread that reads them', () => {
    const program = `
      const source = ${JSON.stringify('consume((batch) => parentPort.postMessage(batch.length))')};
      (async () => {
        for (let i = 0; i < 5; i++) {
          const worker = new Worker(prelude + source, { eval: true });
          await new Promise((resolve) => worker.once('message', resolve));
          await worker.terminate();
        }
        console.log('over');
      })();
    `;
    const withPrelude = 'const prelude = process.execArgv.at(-1).split("/*end*/")[0];';
    assert.deepEqual(run(`/*end*/${withPrelude}${program}`), clean(0, 'over'));
  });

  it('are freed with their generator, and leave no memory behind', () => {
    const program = `
      const turn = async () => {
        for (let i = 0; i < 30; i++) for await (const batch of endless()) { if (batch.length) break; }
        for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
        return process.memoryUsage().rss / 2 ** 20;
      };
      (async () => {
        await turn();
        const before = await turn();
        await turn();
        const grown = (await turn()) - before;
        console.log(grown < 20 ? 'flat' : grown);
      })();
    `;
    assert.deepEqual(run(program), clean(0, 'flat'));
  });
});
