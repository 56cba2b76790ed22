import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { cifar10, toTensor } from 'torch-incremental';
import { batches } from '../../dist/datasets/batches.js';
import { cifar10Plan } from '../../dist/datasets/cifar10/cifar10.js';
import { datasetClasses, openDataset } from '../../dist/datasets/index.js';
import { native } from '../../dist/native/native.js';
import { collect, golden, needsPython, synthetic, TemporaryFolders } from './data-support.mjs';

const recordBytes = 3073;
const folders = new TemporaryFolders();

/** A folder of six files with the numbers of images given, labels counting from 0 to 9 over all of them. */
function binaryFolder(counts = [2, 1, 3, 1, 1, 2]) {
  const root = folders.make();
  const folder = path.join(root, 'cifar-10-batches-bin');
  fs.mkdirSync(folder);
  let label = 0;
  for (const [i, count] of counts.entries()) {
    const records = synthetic([count * recordBytes]);
    for (let record = 0; record < count; record++) records[record * recordBytes] = label++ % 10;
    fs.writeFileSync(path.join(folder, i < 5 ? `data_batch_${i + 1}.bin` : 'test_batch.bin'), records);
  }
  return { root, folder };
}

const read = async (options) => {
  const [batch] = await collect(
    batches(cifar10(options), { transforms: [toTensor()], shuffle: false, batchSize: 1_000_000 }),
  );
  const pixels = Buffer.from(batch.inputs.input.data.map((value) => Math.round(value * 255)));
  return { labels: [...batch.targets.data], pixels };
};

const rejects = (options, code, message) =>
  assert.rejects(openDataset(cifar10(options)), { name: 'LearnError', code, message });

describe('cifar10', () => {
  afterEach(() => folders.remove());

  it('reads the binary version, in or as the root folder', async () => {
    const { root, folder } = binaryFolder();
    const training = await read({ root });
    assert.deepEqual(training.labels, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(training.pixels.subarray(0, 3072), Buffer.from(synthetic([recordBytes])).subarray(1));
    assert.deepEqual(await read({ root: folder }), training);
    assert.deepEqual((await read({ root, train: false })).labels, [8, 9]);
  });

  it('reads files of more than a piece, and prefers the binary version', async () => {
    const { root } = binaryFolder([700, 1, 1, 1, 1, 1]);
    fs.cpSync(path.join(golden, 'cifar-10-batches-py'), path.join(root, 'cifar-10-batches-py'), { recursive: true });
    assert.equal((await read({ root })).labels.length, 704);
  });

  it("reads the Python version as Python 2 wrote it, with its classes' names", async () => {
    const training = await read({ root: golden });
    assert.deepEqual(
      training.labels,
      [1, 2, 3, 4, 5].flatMap((first) => [first, 9, 0]),
    );
    for (const index of [0, 4, 14]) {
      const first = Math.floor(index / 3) + 1 + (index % 3) * 37;
      const expected = Buffer.from(Array.from({ length: 3072 }, (_, i) => (first + i * 7) % 256));
      assert.deepEqual(training.pixels.subarray(index * 3072, (index + 1) * 3072), expected);
    }
    assert.deepEqual(await read({ root: path.join(golden, 'cifar-10-batches-py') }), training);
    assert.deepEqual((await read({ root: golden, train: false })).labels, [6, 9, 0]);
    assert.deepEqual((await datasetClasses(cifar10({ root: golden }))).slice(0, 2), ['plane', 'car']);
  });

  it('reads the Python version as Python 3 writes it again', async function () {
    const { spawnSync } = await import('node:child_process');
    const root = folders.make();
    const script = path.join(golden, 'cifar10_py.py');
    const { status, stderr } = spawnSync(needsPython(this), [script, root, '--python3'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const folder = path.join(root, 'cifar-10-batches-py');
    for (const name of fs.readdirSync(folder)) {
      assert.deepEqual(
        fs.readFileSync(path.join(folder, name)),
        fs.readFileSync(path.join(golden, 'cifar-10-batches-py', name)),
      );
    }
    const forms = fs.readdirSync(root).filter((name) => name.startsWith('protocol'));
    assert.equal(forms.length, 16);
    for (const form of forms) {
      fs.copyFileSync(path.join(root, form), path.join(folder, 'test_batch'));
      if (form.startsWith('protocol2')) {
        await rejects(
          { root, train: false },
          'ERR_DATA_FORMAT',
          /write it again with pickle\.dump\(\.\.\., protocol=4\)/,
        );
        continue;
      }
      const { labels, pixels } = await read({ root, train: false });
      assert.deepEqual(
        labels,
        Array.from({ length: 30 }, (_, i) => i % 10),
      );
      assert.equal(pixels[29 * 3072 + 10], (1 + 29 * 37 + 70) % 256, form);
    }
  });

  it("has the official names of its classes where the folder's are missing or unreadable", async () => {
    const { root, folder } = binaryFolder();
    const names = () => datasetClasses(cifar10({ root }));
    assert.equal((await names())[3], 'cat');
    fs.writeFileSync(path.join(folder, 'batches.meta.txt'), 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n');
    assert.equal((await names())[3], 'd');
    fs.writeFileSync(path.join(folder, 'batches.meta.txt'), 'one\ntwo\n');
    assert.equal((await names())[3], 'cat');
  });

  it('says where it looked for a folder that is missing', async () => {
    const root = path.join(folders.make(), 'nothing');
    await rejects({ root }, 'ERR_FILE', /found neither .*data_batch_1\.bin nor .*data_batch_1\. Pass download: true/);
    assert.equal(fs.existsSync(root), false);
  });

  it('names the file that is missing', async () => {
    const { root, folder } = binaryFolder();
    fs.rmSync(path.join(folder, 'data_batch_4.bin'));
    await rejects({ root }, 'ERR_FILE', /data_batch_4\.bin: ENOENT/);
  });

  it('refuses a folder in place of a file', async () => {
    const { root, folder } = binaryFolder();
    fs.rmSync(path.join(folder, 'data_batch_2.bin'));
    fs.mkdirSync(path.join(folder, 'data_batch_2.bin'));
    await rejects({ root }, 'ERR_FILE', /data_batch_2\.bin is a folder/);
  });

  it('refuses a folder in place of a file of the Python version', async () => {
    const root = folders.make();
    fs.mkdirSync(path.join(root, 'cifar-10-batches-py', 'test_batch'), { recursive: true });
    await rejects({ root, train: false }, 'ERR_FILE', /test_batch is a folder/);
  });

  it('refuses files that are empty or cut in the middle of a record', async () => {
    const { root, folder } = binaryFolder();
    fs.truncateSync(path.join(folder, 'data_batch_3.bin'), 2 * recordBytes + 100);
    await rejects(
      { root },
      'ERR_DATA_FORMAT',
      /data_batch_3\.bin has 6246 bytes.* records of 3073 bytes.* cut or damaged/,
    );
    fs.truncateSync(path.join(folder, 'data_batch_3.bin'), 0);
    await rejects({ root }, 'ERR_DATA_FORMAT', /data_batch_3\.bin has 0 bytes.* is empty/);
  });

  it('names the record whose label is over 9', async () => {
    const { root, folder } = binaryFolder();
    const file = path.join(folder, 'data_batch_3.bin');
    const records = fs.readFileSync(file);
    records[2 * recordBytes] = 10;
    fs.writeFileSync(file, records);
    await rejects({ root }, 'ERR_DATA_FORMAT', /data_batch_3\.bin: record 2 has label 10; expected 0 to 9/);
  });

  it('refuses a file that changed between looking and reading', async () => {
    const { folder } = binaryFolder();
    const file = path.join(folder, 'data_batch_1.bin');
    const descriptor = fs.openSync(file);
    const make = async (bytes, count) =>
      native().makeDataset({
        kind: 'records',
        name: 'input',
        files: [{ path: file, descriptor, bytes, offset: 0, count }],
        shape: [3, 32, 32],
        classes: 10,
      });
    await assert.rejects(make(recordBytes, 1), { code: 'ERR_DATA_FORMAT', message: /changed/ });
    await assert.rejects(make(2 * recordBytes, 3), { code: 'ERR_DATA_FORMAT', message: /too few/ });
    await assert.rejects(make(2 * recordBytes, -1), { code: 'ERR_DATA_FORMAT' });
    fs.closeSync(descriptor);
    await assert.rejects(make(2 * recordBytes, 2), { code: 'ERR_FILE', message: /data_batch_1\.bin/ });
  });

  it('refuses a named pipe without waiting for it', async () => {
    const { root, folder } = binaryFolder();
    fs.rmSync(path.join(folder, 'data_batch_2.bin'));
    execFileSync('mkfifo', [path.join(folder, 'data_batch_2.bin')]);
    await rejects({ root }, 'ERR_FILE', /data_batch_2\.bin is a named pipe/);
  });

  it('notices a file that is written to while it is read', async () => {
    const { root, folder } = binaryFolder();
    const file = path.join(folder, 'data_batch_5.bin');
    const changed = { code: 'ERR_FILE', message: /data_batch_5\.bin changed while it was being read/ };
    await assert.rejects(
      cifar10Plan(cifar10({ root }), undefined, async () => fs.appendFileSync(file, 'more')),
      changed,
    );
  });

  it('reads the files that it found, whatever has their names by then', async () => {
    const { root, folder } = binaryFolder();
    const file = path.join(folder, 'data_batch_1.bin');
    const expected = fs.readFileSync(file)[0];
    const other = Buffer.from(fs.readFileSync(file)).fill((expected + 1) % 10, 0, 1);
    const dataset = await cifar10Plan(cifar10({ root }), undefined, async (plan) => {
      fs.writeFileSync(`${file}.new`, other);
      fs.renameSync(`${file}.new`, file);
      return native().makeDataset(plan);
    });
    assert.equal(native().datasetSamples(dataset, 0, 1).targets[0], expected);
    native().disposeDataset(dataset);
  });

  describe('refuses a Python version', () => {
    const official = () => fs.readFileSync(path.join(golden, 'cifar-10-batches-py', 'test_batch'));
    const refuses = async (bytes, message) => {
      const root = folders.make();
      fs.mkdirSync(path.join(root, 'cifar-10-batches-py'));
      fs.writeFileSync(path.join(root, 'cifar-10-batches-py', 'test_batch'), bytes);
      await rejects({ root, train: false }, 'ERR_DATA_FORMAT', message);
    };
    const replaced = (from, to) => Buffer.from(official().toString('latin1').replace(from, to), 'latin1');

    it('that is cut anywhere', async () => {
      const bytes = official();
      for (let size = 0; size < bytes.length; size += size < 300 || size > bytes.length - 200 ? 1 : 500) {
        await refuses(bytes.subarray(0, size), /cut or damaged/);
      }
    });

    it('that names anything but numpy arrays', async () => {
      await refuses(replaced('cnumpy.core.multiarray\n_reconstruct\n', 'cos\nsystem\n'), /refers to os\.system/);
    });

    it('whose arrays are of another size, kind or order than the images', async () => {
      await refuses(replaced('K\x03M\x00\x0c', 'K\x04M\x00\x0c'), /9216 bytes where 4 images need 12288/);
      await refuses(replaced('K\x03M\x00\x0c', 'K\x03M\x00\x0b'), /not a uint8 array of \[images, 3072\]/);
      await refuses(replaced('U\x02u1', 'U\x02i1'), /not a uint8 array/);
      await refuses(replaced('b\x89T', 'b\x88T'), /in row order/);
    });

    it('whose labels are missing, too few, or over 9', async () => {
      await refuses(replaced('U\x06labels', 'U\x06Labels'), /"labels" are not a list of 3 integers/);
      await refuses(replaced('K\x06K\x09K\x00', 'K\x06K\x09'), /"labels" are not a list of 3 integers/);
      await refuses(
        replaced('K\x06K\x09K\x00', 'K\x06K\x0aK\x00'),
        /test_batch: record 1 has label 10; expected 0 to 9/,
      );
    });

    it('that is something else', async () => {
      await refuses('<!DOCTYPE html><html></html>'.repeat(50), /pickle opcode 0x3c/);
      await refuses('version https://git-lfs.github.com/spec/v1\n', /pickle opcode 0x76/);
      await refuses(Buffer.from([0x80, 2, 0x4b, 1, 0x2e]), /not a pickled dictionary/);
      await refuses(Buffer.from([0x80, 2, 0x65, 0x2e]), /misses a mark/);
      await refuses(Buffer.from([0x80, 2, 0x68, 9, 0x2e]), /recalls what it never stored/);
      await refuses(Buffer.from([0x80, 2, 0x52, 0x2e]), /empty stack/);
    });
  });

  it('refuses unknown options', () => {
    assert.throws(() => cifar10({ rot: '.' }), { code: 'ERR_INVALID_OPTION', message: /did you mean "root"/ });
    assert.throws(() => cifar10({ train: 'no' }), { code: 'ERR_INVALID_OPTION' });
  });
});
