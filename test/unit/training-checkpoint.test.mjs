// Writing checkpoints of a training.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { arrays, createState, loadState, net, sgd, trainEvents, trainIncremental } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';
import { data, stopped } from './resume-support.mjs';

const at = temporaryFolder();
const path = at('run.ckpt');

describe('checkpoint', () => {
  const quick = { data, epochs: 2, batchSize: 16, seed: 1 };
  let state;
  before(async () => {
    state = await createState(net(), { seed: 0 });
  });
  beforeEach(() => fs.rmSync(path, { force: true }));

  const positionOf = async (file) => {
    const { metadata } = await loadState(file, { key: 'model' });
    return [metadata.get('epoch'), metadata.get('step')];
  };

  it('is of the end when the run is over, whatever the steps between two', async () => {
    for (const every of ['epoch', 1, 3, 1000]) {
      const { state: trained, history } = await trainIncremental(state, { ...quick, checkpoint: { path, every } });
      assert.deepEqual(await positionOf(path), [2, 0]);
      const kept = await loadState(path, { key: 'model' });
      assert.ok(kept.equals(trained));
      assert.deepEqual(kept.metadata.get('history').map(Object.fromEntries), history);
    }
  });

  it('changes nothing in what is trained', async () => {
    const { state: kept } = await trainIncremental(state, { ...quick, checkpoint: { path, every: 1 } });
    assert.ok(kept.equals((await trainIncremental(state, quick)).state));
  });

  it('is written when the run is aborted before its first epoch is over', async () => {
    await stopped(state, { ...quick, epochs: 100_000, checkpoint: { path } }, 2);
    const [epoch, step] = await positionOf(path);
    assert.ok(epoch * 5 + step >= 2);
  });

  it('is written when a callback throws and when the loop over events is left', async () => {
    const long = { ...quick, epochs: 100_000, checkpoint: { path } };
    const thrown = new Error('mine');
    const onProgress = () => {
      throw thrown;
    };
    await assert.rejects(trainIncremental(state, { ...long, onProgress }), (cause) => cause === thrown);
    await positionOf(path);
    fs.rmSync(path);
    for await (const _ of trainEvents(state, long)) break;
    await positionOf(path);
  });

  it('is not replaced by one whose weights are no longer numbers', async () => {
    const inputs = new Float32Array(3072 * 2).fill(1e30);
    const huge = arrays({ inputs, labels: Int32Array.of(0, 1), shape: [3, 32, 32], classes: 10 });
    const optimizer = sgd({ learningRate: 1e38 });
    const ruined = { ...quick, data: huge, batchSize: 2, epochs: 1, optimizer, checkpoint: { path } };
    await assert.rejects(trainIncremental(state, ruined), { code: 'ERR_NOT_FINITE' });
    assert.ok(!fs.existsSync(path));
  });

  it('is refused before anything is read when it cannot be written', async () => {
    await assert.rejects(
      trainIncremental('missing.pth', { ...quick, checkpoint: { path: at('no/such/folder/run.ckpt') } }),
      (error) => error.code === 'ERR_FILE' && /no\/such\/folder/.test(error.message),
    );
  });

  it('stops the run with ERR_FILE when the disk is full, and the old one stays whole', async () => {
    await trainIncremental(state, { ...quick, epochs: 1, checkpoint: { path } });
    const old = fs.readFileSync(path);
    const script = `
      import { arrays, createState, net, trainIncremental } from '${root}/dist/index.mjs';
      import { madeUpImages } from '${root}/test/support.mjs';
      process.on('SIGXFSZ', () => {});
      const options = { data: arrays(madeUpImages(70)), epochs: 100000, checkpoint: { path: process.argv[1] } };
      await trainIncremental(await createState(net()), options).catch(({ name, code }) => console.log(name, code));
    `;
    // A limit on the size of files, in place of a full disk: the system refuses further writes in the same way.
    const command = 'ulimit -f 2; exec "$0" --input-type=module -e "$1" "$2"';
    const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, script, path], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(stdout, 'LearnError ERR_FILE\n', stderr);
    assert.ok(fs.readFileSync(path).equals(old));
    assert.deepEqual(
      fs.readdirSync(at()).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
