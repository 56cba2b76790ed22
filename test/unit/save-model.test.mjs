// Tests saveModel: what it refuses, and that a file is replaced at once or not at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createState, linear, net, relu, saveModel, sequential } from 'torch-incremental';
import { withArchive } from '../../dist/pt2/archive.js';
import { rememberOrigin } from '../../dist/pt2/origin.js';
import { readProgram } from '../../dist/pt2/program.js';
import { archive, written } from '../pt2/archives.mjs';
import { model as describedModel, node, ref } from '../pt2/descriptions.mjs';
import { originAt } from '../pt2/saved.mjs';
import { root, temporaryFolder } from '../support.mjs';

const isRoot = process.getuid() === 0;
const tensors = {
  'fc.weight': { role: 'parameter', shape: [2, 3] },
  'fc.bias': { role: 'parameter', shape: [2] },
};
const linearNode = { input: ref('x'), weight: ref('p_fc_weight'), bias: ref('p_fc_bias') };
const description = describedModel({
  ...{ tensors, nodes: [node('torch.ops.aten.linear.default', linearNode, 'linear')], outputs: ['linear'] },
});

describe('saveModel', () => {
  const temporary = temporaryFolder();
  const model = sequential({ fc: linear(3, 2) });
  let state;
  let folder;
  let file;

  before(async () => {
    rememberOrigin(model, await originAt(written(temporary('source.pt2'), archive(description))));
    state = await createState(model, { seed: 1 });
  });
  beforeEach(() => {
    folder = fs.mkdtempSync(temporary('case '));
    file = path.join(folder, 'model.pt2');
  });

  const biasIn = (bytes) => bytes.includes(Buffer.from(state.tensor('fc.bias').data.buffer));

  it('writes the weights of the state into a new file with the usual permissions', async () => {
    await saveModel(file, { model, state });
    fs.writeFileSync(path.join(folder, 'other'), '');
    const modeOf = (name) => fs.statSync(path.join(folder, name)).mode & 0o777;
    assert.equal(modeOf('model.pt2'), modeOf('other'));
    assert.deepEqual(fs.readdirSync(folder).sort(), ['model.pt2', 'other']);
    assert.ok(biasIn(fs.readFileSync(file)));
    const found = await withArchive(file, (opened) => readProgram(opened));
    assert.deepEqual(
      found.state.map(({ name }) => name),
      ['fc.weight', 'fc.bias'],
    );
  });

  it('keeps the permissions of the file that it replaces, and the link to it', async () => {
    fs.writeFileSync(path.join(folder, 'real'), 'old', { mode: 0o600 });
    fs.symlinkSync('real', file);
    await saveModel(file, { model, state });
    assert.ok(fs.lstatSync(file).isSymbolicLink());
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    assert.ok(biasIn(fs.readFileSync(path.join(folder, 'real'))));
  });

  it('names the folder inside after the file, in any language', async () => {
    for (const [name, stem] of [
      ['größe 📦.v2.pt2', 'größe 📦.v2'],
      ['none', 'none'],
      ['.pt2', 'archive'],
    ]) {
      await saveModel(path.join(folder, name), { model, state });
      const bytes = fs.readFileSync(path.join(folder, name));
      assert.equal(bytes.toString('utf8', 30, 30 + bytes.readUInt16LE(26)), `${stem}/data/weights/weight_0`);
      await withArchive(path.join(folder, name), (opened) => readProgram(opened));
    }
  });

  it('leaves a complete file when many saves of one file run at once', async () => {
    await Promise.all(Array.from({ length: 8 }, () => saveModel(file, { model, state })));
    await withArchive(file, (opened) => readProgram(opened));
    assert.deepEqual(fs.readdirSync(folder), ['model.pt2']);
  });

  it('leaves the old file when it is aborted before or during the save', async () => {
    fs.writeFileSync(file, 'old');
    const reason = new Error('enough');
    await assert.rejects(saveModel(file, { model, state, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const saving = saveModel(file, { model, state, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(saving, reason);
    assert.equal(fs.readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(fs.readdirSync(folder), ['model.pt2']);
  });

  it('leaves the old file and nothing else when the disk is full', () => {
    fs.writeFileSync(file, 'old');
    // A limit on file sizes imitates a full disk: the system refuses to write in the same way.
    const script = `
      import { createState, linear, saveModel, sequential } from 'torch-incremental';
      import { rememberOrigin } from './dist/pt2/origin.js';
      import { originAt } from './test/pt2/saved.mjs';
      const model = sequential({ fc: linear(3, 2) });
      rememberOrigin(model, await originAt(${JSON.stringify(temporary('source.pt2'))}));
      const state = await createState(model);
      const error = await saveModel(${JSON.stringify(file)}, { model, state }).catch((error) => error);
      console.log(JSON.stringify([error.code, error.message]));`;
    const command = 'ulimit -f 2; exec "$0" --input-type=module -e "$1"';
    const run = spawnSync('bash', ['-c', command, process.execPath, script], { cwd: root, encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    const [code, message] = JSON.parse(run.stdout);
    assert.equal(code, 'ERR_FILE');
    assert.match(message, /Cannot write to .*model\.pt2: Cannot write .*File too large.*unchanged/);
    assert.equal(fs.readFileSync(file, 'utf8'), 'old');
    assert.deepEqual(fs.readdirSync(folder), ['model.pt2']);
  });

  it('refuses a path that cannot be a file', async () => {
    const refused = (place, message) =>
      assert.rejects(saveModel(place, { model, state }), { code: 'ERR_FILE', message });
    await refused(path.join(folder, 'missing/model.pt2'), /missing does not exist; make it with: mkdir -p/);
    await refused(folder, /it is a folder; name a file in it/);
    await refused('/dev/null', /a pipe or a device/);
    if (isRoot) return;
    fs.writeFileSync(file, 'old', { mode: 0o444 });
    await refused(file, /write-protected/);
    fs.chmodSync(folder, 0o555);
    await refused(path.join(folder, 'new.pt2'), /EACCES|Permission denied/);
    fs.chmodSync(folder, 0o755);
  });

  it('refuses a model that came from no .pt2, also a copy of one that did', async () => {
    for (const other of [net(), { ...model }, structuredClone(model)])
      await assert.rejects(saveModel(file, { model: other, state: await createState(other) }), {
        code: 'ERR_INVALID_OPTION',
        message: /Expected a model that loadModel\(\) returned for "model" but .* saveState\(\)/,
      });
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('refuses the state of another model, and a disposed one', async () => {
    const other = await createState(sequential({ fc: linear(3, 4), act: relu() }));
    await assert.rejects(saveModel(file, { model, state: other }), {
      code: 'ERR_STATE_MISMATCH',
      message: /The state does not fit Sequential/,
    });
    const wide = state.with({ 'fc.bias': { dtype: 'float64', shape: [2], data: Float64Array.of(1, 2) } });
    await assert.rejects(saveModel(file, { model, state: wide }), {
      code: 'ERR_STATE_MISMATCH',
      message: /"fc\.bias" to be float32, as in the program, but it is float64/,
    });
    const gone = await createState(model);
    gone.dispose();
    await assert.rejects(saveModel(file, { model, state: gone }), { code: 'ERR_DISPOSED' });
    assert.deepEqual(fs.readdirSync(folder), []);
  });

  it('refuses wrong arguments', async () => {
    const calls = [
      () => saveModel('', { model, state }),
      () => saveModel(file),
      () => saveModel(file, model),
      () => saveModel(file, { model }),
      () => saveModel(file, { state }),
      () => saveModel(file, { model: 'net', state }),
      () => saveModel(file, { model, state: {} }),
      () => saveModel(file, { model, state, signal: {} }),
      () => saveModel(file, { model, state, sampleInputs: [] }),
    ];
    for (const call of calls) await assert.rejects(call(), { code: 'ERR_INVALID_OPTION' });
  });
});
