// Records the content of a platform's npm package: checksums from the RECORD of PyTorch's wheel, and the licences of all parts.
// Run once for each version of libtorch. The results are committed, so that filling the package needs only libraries with these
// checksums, and no wheel.
//   node scripts/release/renew-libtorch-package.mjs torch-….whl [linux-x64]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execute } from '../setup/steps.mjs';
import { sha256Of, writeSums } from './checksums.mjs';
import { archiveOf, libtorchPackage } from './pin.mjs';

/** Libraries that a process loads on Linux: libtorch.so, its dependencies by `readelf -d`, and those that torch loads first. */
const libraries = ['libc10.so', 'libgomp.so.1', 'libtorch.so', 'libtorch_cpu.so', 'libtorch_global_deps.so'];

/** Licences in the wheel for the parts of libtorch_cpu.so. The wheel's other licences are for CUDA, Python or tests. */
const licences = {
  'cpp-httplib': 'cpp-httplib/LICENSE',
  cpuinfo: 'cpuinfo/LICENSE',
  clog: 'cpuinfo/deps/clog/LICENSE',
  dynolog: 'kineto/libkineto/third_party/dynolog/LICENSE',
  fbgemm: 'fbgemm/LICENSE',
  flatbuffers: 'flatbuffers/LICENSE',
  fmt: 'fmt/LICENSE',
  fp16: 'FP16/LICENSE',
  fxdiv: 'FXdiv/LICENSE',
  gloo: 'gloo/LICENSE',
  ideep: 'ideep/LICENSE',
  kineto: 'kineto/LICENSE',
  libnop: 'tensorpipe/third_party/libnop/LICENSE',
  libuv: 'tensorpipe/third_party/libuv/LICENSE',
  miniz: 'miniz-3.0.2/LICENSE',
  nnpack: 'NNPACK/LICENSE',
  onednn: 'ideep/mkl-dnn/LICENSE',
  onnx: 'onnx/LICENSE',
  protobuf: 'protobuf/LICENSE',
  psimd: 'psimd/LICENSE',
  pthreadpool: 'pthreadpool/LICENSE',
  sleef: 'sleef/LICENSE.txt',
  tensorpipe: 'tensorpipe/LICENSE.txt',
};

export async function renew(wheel, platform) {
  const { url, sha256 } = archiveOf(platform);
  const found = await sha256Of(wheel);
  if (found !== sha256) throw new Error(`${wheel} has the SHA-256 ${found}, libtorch.json pins ${sha256}: ${url}`);
  const { folder } = libtorchPackage(platform);
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'torch-incremental-'));
  try {
    const info = `torch-${decodeURIComponent(path.basename(url)).split('-')[1]}.dist-info`;
    const texts = Object.values(licences).map((name) => `${info}/licenses/third_party/${name}`);
    const members = [`${info}/RECORD`, `${info}/licenses/LICENSE`, 'torch/version.py', ...texts];
    const archive = path.resolve(wheel);
    const { ok, output } = await execute('cmake', ['-E', 'tar', 'xf', archive, '--format=zip', ...members], {
      cwd: work,
    });
    if (!ok) throw new Error(`${wheel} cannot be unpacked: ${output}`);

    const record = readRecord(path.join(work, info, 'RECORD'));
    const files = [...libraries.map((name) => `lib/${name}`), 'version.py'];
    const sums = new Map(files.map((file) => [file, record.get(`torch/${file}`)]));
    writeSums(folder, { archive: decodeURIComponent(path.basename(url)), sha256, sums });

    fs.mkdirSync(path.join(folder, 'licenses'), { recursive: true });
    fs.copyFileSync(path.join(work, info, 'licenses/LICENSE'), path.join(folder, 'LICENSE'));
    for (const [index, name] of Object.keys(licences).entries())
      fs.copyFileSync(path.join(work, texts[index]), path.join(folder, 'licenses', `${name}.txt`));
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

/** RECORD has a line 'path,sha256=<base64url>,bytes' for each file of the wheel. */
function readRecord(file) {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  const entries = lines.map((line) => line.match(/^([^,]+),sha256=([\w-]+),\d+$/)).filter(Boolean);
  return new Map(entries.map(([, name, hash]) => [name, Buffer.from(hash, 'base64url').toString('hex')]));
}

if (process.argv[1] === import.meta.filename) {
  const [wheel, platform = `${process.platform}-${process.arch}`] = process.argv.slice(2);
  if (!wheel) throw new Error('Name the wheel that libtorch.json pins.');
  await renew(wheel, platform);
}
