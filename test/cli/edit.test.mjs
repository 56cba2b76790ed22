// The commands extend and average, and inspect of a sharded checkpoint.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import {
  averageStates,
  createState,
  extendClasses,
  linear,
  loadState,
  net,
  relu,
  saveState,
  sequential,
} from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { run } from './run.mjs';

const own = sequential({ body: linear(4, 8), relu: relu(), head: linear(8, 3) }, { input: [4] });

describe('command line: extend, average', () => {
  const at = temporaryFolder();
  before(async () => {
    await saveState(await createState(net(), { seed: 1 }), at('net.pth'));
    await saveState(await createState(net(), { seed: 2 }), at('other.pth'));
    await saveState(await createState(own, { seed: 1 }), at('own.pth'));
  });

  it('extends a known model as extendClasses() does', async () => {
    const { code, stdout, stderr } = await run([
      'extend',
      at('net.pth'),
      '--classes',
      '12',
      '--seed',
      '3',
      '-o',
      at('out.pth'),
    ]);
    assert.deepEqual([code, stdout, stderr], [0, '', `Saved ${at('out.pth')}: 12 classes\n`]);
    const { state } = await extendClasses(await loadState(at('net.pth')), { model: net(), classes: 12, seed: 3 });
    assert.ok(state.equals(await loadState(at('out.pth'))));
  });

  it('extends a model that it does not know by the path of its layer', async () => {
    const args = ['extend', at('own.pth'), '--classes', '5', '--out', at('own5.pth'), '--json'];
    const { code, stdout } = await run([...args, '--layer', 'head']);
    assert.deepEqual([code, JSON.parse(stdout)], [0, { type: 'saved', out: at('own5.pth'), classes: 5 }]);
    const { state } = await extendClasses(await loadState(at('own.pth')), { model: own, classes: 5 });
    assert.ok(state.equals(await loadState(at('own5.pth'))));
    for (const [words, message] of [
      [
        [],
        /no known model: name its last linear layer with --layer <path>, such as head; the last ones are body, head/,
      ],
      [['--layer', 'haed'], /received 'haed'; the nearest are head/],
      [['--layer', 'head', '--classes', '3'], /more classes than the 3 of head.weight/],
    ]) {
      const refused = await run([...args, ...words]);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, message);
    }
  });

  it('names the classes that it adds, and keeps the names', async () => {
    const extend = (file, ...args) => run(['extend', at(file), ...args, '-o', at('named.pth')]);
    const none = await extend('own.pth', '--layer', 'head', '--names', 'fox');
    assert.equal(none.code, 2);
    assert.match(
      none.stderr,
      /the names of the 3 classes of head\.weight but the state has none; give them as "oldNames"/,
    );
    const named = await extend('own.pth', '--layer', 'head', '--old-names', 'cat, dog,emu', '--names', 'fox,owl');
    assert.deepEqual([named.code, named.stderr], [0, `Saved ${at('named.pth')}: 5 classes, cat, dog, emu, fox, owl\n`]);
    const { state } = await extendClasses(await loadState(at('own.pth')), { model: own, classes: 5 });
    assert.ok(state.equals(await loadState(at('named.pth'))));
    const more = await extend('named.pth', '--layer', 'head', '--names', 'yak', '--json');
    const classNames = ['cat', 'dog', 'emu', 'fox', 'owl', 'yak'];
    assert.deepEqual(JSON.parse(more.stdout), { type: 'saved', out: at('named.pth'), classes: 6, classNames });
    assert.deepEqual((await loadState(at('named.pth'))).metadata.get('class_names'), classNames);
  });

  it('averages checkpoints as averageStates() does, and names a difference', async () => {
    const { code, stderr } = await run(['average', at('net.pth'), at('other.pth'), '-o', at('mean.pth')]);
    assert.deepEqual([code, stderr], [0, `Saved ${at('mean.pth')}: the mean of 2 checkpoints\n`]);
    const mean = await averageStates(await Promise.all(['net.pth', 'other.pth'].map((name) => loadState(at(name)))));
    assert.ok(mean.equals(await loadState(at('mean.pth'))));
    const refused = await run(['average', at('net.pth'), at('own.pth'), '-o', at('mean2.pth')]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /ERR_STATE_MISMATCH.*states\[1\] has no conv1\.weight/);
    assert.ok(!fs.existsSync(at('mean2.pth')));
  });

  it('inspects a sharded checkpoint, by its folder and its index', async () => {
    fs.mkdirSync(at('sharded'));
    const state = await loadState(at('net.pth'));
    const parts = [state.select('conv*'), state.select('fc')];
    const files = parts.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`);
    for (const [i, part] of parts.entries()) await saveState(part, at(`sharded/${files[i]}`));
    const weights = parts.flatMap(({ names }, i) => names.map((name) => [name, files[i]]));
    const index = at('sharded/model.safetensors.index.json');
    fs.writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(weights) }));
    for (const place of [at('sharded'), index]) {
      const { code, stdout } = await run(['inspect', place, '--stats']);
      assert.equal(code, 0);
      assert.match(stdout, /safetensors file in 2 shards, 1\.3 MB/);
      assert.match(stdout, /Fits Net\n/);
      assert.match(stdout, /6 tensors, 332,778 elements/);
      const { shards, tensors } = JSON.parse((await run(['inspect', place, '--json'])).stdout);
      assert.deepEqual([shards, tensors.map(({ name }) => name).sort()], [2, [...state.names].sort()]);
    }
  });
});
