// Tests that every dict of tensors that torch.load(weights_only=True) loads is loaded here with the same bits: PyTorch's own files,
// the benign and the hostile ones of make.mjs, and some hundreds of mutants. The exceptions are listed in stricter.mjs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { caseOf } from '../fuzz/cases.mjs';
import { needs, python, root, temporaryFolder } from '../support.mjs';
import { listFiles } from './make.mjs';
import { loadAll } from './run.mjs';
import { stricter } from './stricter.mjs';

const golden = path.join(root, 'test/golden/checkpoints');
const mutants = { pickle: 400, zip: 150, legacy: 150 };
const seed = 7;

/** The form in which both sides are compared. In safetensors files the order of tensors has no meaning. */
const facts = (file, tensors) => {
  const list = tensors.map(({ name, dtype, shape, sha256 }) => JSON.stringify([name, dtype, shape, sha256]));
  return (file.endsWith('.safetensors') ? list.sort() : list).join();
};

describe('a file that torch.load(weights_only=True) loads', function () {
  this.timeout(300_000);
  const temporary = temporaryFolder();

  function makeFiles() {
    const made = listFiles(temporary('made')).filter(
      ({ kind, slow }) => !/large|bombs|sound|foreign|shards/.test(kind) && !slow,
    );
    for (const { write } of made) write();
    const changed = Object.entries(mutants).flatMap(([target, count]) =>
      Array.from({ length: count }, (_, i) => {
        const file = temporary(`${target} ${i}.pth`);
        fs.writeFileSync(file, caseOf(target, seed, i));
        return file;
      }),
    );
    const theirs = fs.readdirSync(golden).filter((name) => !name.endsWith('.json'));
    return [...theirs.map((name) => path.join(golden, name)), ...made.map(({ file }) => file), ...changed];
  }

  function loadInPython(files) {
    const script = path.join(import.meta.dirname, 'load.py');
    const { stdout } = spawnSync(python, [script], {
      input: `${files.join('\n')}\n`,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    const answers = stdout.trim().split('\n').map(JSON.parse);
    assert.equal(answers.length, files.length);
    return answers;
  }

  it('loads here bit for bit, except for the exceptions in docs/checkpoints.md, each of which occurs', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const jobs = loadInPython(makeFiles()).flatMap(({ file, states = [] }) =>
      states.map(({ path: keys, tensors }) => ({
        file,
        options: keys.length > 0 ? { key: keys.join('.') } : {},
        tensors,
      })),
    );
    fs.mkdirSync(temporary('here'));
    const used = new Set();
    const differences = [];
    let same = 0;
    await loadAll(jobs, temporary('here'), ({ file, tensors }, answer) => {
      const titles = answer.tensors ? [] : Object.keys(stricter);
      const reason = titles.find((title) => stricter[title].test(answer.message));
      if (reason) used.add(reason);
      else if (answer.tensors && facts(file, answer.tensors) === facts(file, tensors)) same++;
      else differences.push(`${file}: ${answer.message ?? facts(file, answer.tensors).slice(0, 1000)}`);
    });
    assert.deepEqual(differences, []);
    assert.ok(same > 100, `only ${same} states were compared`);
    // A Python without safetensors loads none of those files.
    const hasAll = jobs.some(({ file }) => file.endsWith('.safetensors'));
    const needed = Object.keys(stricter).filter((title) => hasAll || !title.includes('safetensors'));
    assert.deepEqual([...used].sort(), needed.sort());
  });

  it('and that is refused here is described in docs/checkpoints.md', () => {
    const page = fs.readFileSync(path.join(root, 'docs/checkpoints.md'), 'utf8');
    for (const title of Object.keys(stricter)) assert.ok(page.includes(`**${title}.**`), title);
  });
});
