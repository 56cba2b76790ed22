// Tests installing libtorch from files, folders and addresses of the user, including hostile ones.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { zip } from './checkpoint-support.mjs';
import { fails, libtorchZip, sha256, useMadeUpCache, version, wheel, wheelRecords } from './libtorch-support.mjs';

describe('installing libtorch from files', () => {
  const made = useMadeUpCache();
  const { install, target, left } = made;
  const write = (name, bytes) => {
    fs.writeFileSync(made.folder(name), bytes);
    return made.folder(name);
  };

  it('accepts the pinned file under any name, and refuses another', async () => {
    await install('cpu', { from: write('é any name', wheel()) });
    fs.rmSync(target('cpu'), { recursive: true });
    const broken = write('broken', wheel().subarray(0, -1));
    await fails(
      install('cpu', { from: broken }),
      'ERR_DOWNLOAD',
      /broken is not the expected file: it \(\d+ bytes instead of/,
    );
    assert.deepEqual([left(), made.server.requests], [[], []]);
    assert.ok(fs.existsSync(broken));
    await fails(install('cpu', { from: made.folder('nothing') }), 'ERR_FILE', /Cannot read .*nothing: ENOENT/);
  });

  it('accepts the files of --print-urls from a folder, named with + or %2B', async () => {
    for (const name of ['torch-1+cpu.whl', 'torch-1%2Bcpu.whl']) {
      const here = fs.mkdtempSync(made.folder('files-'));
      await fails(install('cpu', { from: here }), 'ERR_FILE', /missing are torch-1\+cpu\.whl\. See: .*--print-urls/);
      fs.writeFileSync(path.join(here, name), wheel());
      await install('cpu', { from: here });
      fs.rmSync(target('cpu'), { recursive: true });
    }
    assert.deepEqual(made.server.requests, []);
  });

  it('accepts a zip of libtorch from a file or an address with its checksum', async () => {
    const bytes = libtorchZip('cu130');
    const given = sha256(bytes);
    const from = write('libtorch.zip', bytes);
    await fails(install('cu130', { from }), 'ERR_INVALID_OPTION', /made of 2 files: .*--sha256/);
    assert.equal((await install('cu130', { from, sha256: given })).folder, target('cu130'));
    fs.rmSync(target('cu130'), { recursive: true });
    made.server.files.set('/own.zip', bytes);
    await install('cu130', { from: made.server.url('/own.zip'), sha256: given });
    assert.ok(fs.existsSync(path.join(target('cu130'), 'build-version')));
  });

  it('unpacks the file that was checked, also if another file has its name by then', async () => {
    const from = write('pinned.whl', wheel());
    const other = write('other.whl', zip(wheelRecords().map(([name]) => [name, 'not checked'])));
    const steps = [];
    const onProgress = (step) => {
      if (steps.push(step) === 1) fs.renameSync(other, from);
    };
    await install('cpu', { from, onProgress });
    assert.equal(steps[0], 'check');
    assert.ok(!fs.existsSync(other));
    assert.match(fs.readFileSync(path.join(target('cpu'), 'lib/libtorch.so'), 'utf8'), /^(made up libtorch\.so)+$/);
  });

  it('uses only the last part of an address as the name, and refuses an address without one', async () => {
    const given = sha256(libtorchZip());
    for (const name of ['x%2F..%2F..%2F..%2Fevil.zip', 'a%zz.zip', 'b%FF.zip']) {
      const from = `${made.server.url('/')}${name}`;
      await fails(
        install('cu126', { from, sha256: given }),
        'ERR_DOWNLOAD',
        /Could not fetch (evil|a%zz|b\ufffd)\.zip:/,
      );
    }
    assert.deepEqual(fs.readdirSync(path.dirname(made.root)), ['libtorch']);
    assert.deepEqual(left(), [`${version}+cu126.parts`]);
    for (const name of ['', '/', '/x%2F..', '/%00.zip', '/x%2F.?y=z.zip', ':x/y.zip']) {
      const from = made.server.url() + name;
      await fails(
        install('cu126', { from, sha256: given }),
        'ERR_INVALID_OPTION',
        /Expected the address of a file.*in --from/,
      );
    }
  });

  it('refuses a build of another variant', async () => {
    const from = write('libtorch.zip', libtorchZip('cu126'));
    const given = sha256(libtorchZip('cu126'));
    await fails(
      install('cu130', { from, sha256: given }),
      'ERR_LIBTORCH_VERSION',
      /libtorch .*\+cu126, with CUDA, which is not the variant cu130/,
    );
    assert.deepEqual(left(), []);
  });

  const hostile = {
    'is not a zip archive': [Buffer.from('<html>'.repeat(50)), 'ERR_FILE', /is not a zip archive that can be unpacked/],
    'holds no libtorch': [zip([['readme', 'x']]), 'ERR_LIBTORCH_NOT_FOUND', /holds neither libtorch\/lib/],
    'is a wheel without the libraries of NVIDIA that it needs': [
      wheel('cu130', { cuda: true }),
      'ERR_LIBTORCH_NOT_FOUND',
      /whose NVIDIA libraries are in other files/,
    ],
    'has a name that leads out of the folder': [
      zip([...wheelRecords(), ['torch/lib/../../../../out', 'x']]),
      'ERR_FILE',
      /invalid relative path/,
    ],
    'has an absolute name': [zip([...wheelRecords(), ['/torch/out', 'x']]), 'ERR_FILE', /absolute path/],
    'has a name with backslashes': [zip([...wheelRecords(), ['torch\\..\\out', 'x']]), 'ERR_FILE', /invalid char/],
    'holds a link': [
      zip([...wheelRecords(), ['torch/lib/link', '/etc', { external: (0o120777 << 16) >>> 0 }]]),
      'ERR_FILE',
      /torch\/lib\/link in it is not a regular file/,
    ],
    'has a file twice': [
      zip([...wheelRecords(), ['torch/lib/libtorch.so', 'again']]),
      'ERR_FILE',
      /not a zip archive that can be unpacked: torch\/lib\/libtorch\.so in it occurs twice/,
    ],
    'has a file that is a folder too': [
      zip([...wheelRecords(), ['torch/lib/libtorch.so/x', 'again']]),
      'ERR_FILE',
      /not a zip archive that can be unpacked: torch\/lib\/libtorch\.so.* in it occurs twice, or as a file and as a folder/,
    ],
    'has a file that cannot be inflated': [
      zip(wheelRecords().map(([name, data, more], i) => [name, i === 0 ? Buffer.alloc(data.length, 255) : data, more])),
      'ERR_FILE',
      /not a zip archive that can be unpacked: invalid/,
    ],
    'has a file larger than it says': [
      zip(wheelRecords().map((record, i) => (i === 0 ? [record[0], record[1], { ...record[2], size: 100 }] : record))),
      'ERR_FILE',
      /too many bytes/,
    ],
    'has a file smaller than it says': [
      zip(wheelRecords().map((record, i) => (i === 0 ? [record[0], record[1], { ...record[2], size: 1e9 }] : record))),
      'ERR_FILE',
      /not enough bytes/,
    ],
    'is truncated': [wheel().subarray(0, -30), 'ERR_FILE', /is not a zip archive/],
  };
  for (const [what, [bytes, code, message]] of Object.entries(hostile)) {
    it(`refuses what ${what}, despite its correct checksum, and changes nothing`, async () => {
      const from = write('hostile.whl', bytes);
      await fails(install('cpu', { from, sha256: sha256(bytes) }), code, message);
      assert.deepEqual(left(), []);
      assert.deepEqual(
        fs.readdirSync(path.dirname(made.root)).filter((name) => name !== 'libtorch'),
        [],
      );
    });
  }
});
