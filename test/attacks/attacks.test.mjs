// Broken and hostile checkpoints, made by make.mjs: each is refused with the right code and words, quickly, in little
// memory, with nothing run. Their benign relatives load.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { needs, runPython, temporaryFolder } from '../support.mjs';
import { isSanitized } from './limited.mjs';
import { listFiles } from './make.mjs';
import { loadAll } from './run.mjs';

const mostMilliseconds = 2000;
const mostMegabytes = 512;
const longestMessage = 4000;
/** A terminal would obey what is between them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

function checkLimits({ code, message, milliseconds, megabytes }) {
  assert.ok(!['hang', 'crash', 'another error'].includes(code), `${code}: ${message?.slice(0, 2000)}`);
  if (isSanitized) return;
  assert.ok(milliseconds < mostMilliseconds, `it took ${Math.round(milliseconds)} ms`);
  assert.ok(megabytes < mostMegabytes, `it took ${Math.round(megabytes)} MB`);
}

function checkMessage({ message }, file) {
  assert.ok(message.includes(file), message);
  assert.ok(message.length < longestMessage, `a message of ${message.length} characters`);
  assert.ok(!controls.test(message), JSON.stringify(message));
}

const checks = {
  refused({ file, code, words }, answer) {
    assert.ok(answer.code, 'it was loaded');
    assert.equal(answer.code, code ?? answer.code, answer.message);
    assert.match(answer.message, words);
    checkMessage(answer, file);
  },
  loaded({ tensors, anyOrder }, answer) {
    assert.ok(answer.tensors, answer.message);
    const found = answer.tensors.map(({ name, dtype, shape, data }) => [name, [dtype, shape, data]]);
    const expected = Object.entries(tensors);
    const sorted = (list) => (anyOrder ? list.sort(([a], [b]) => (a < b ? -1 : 1)) : list);
    assert.deepEqual(sorted(found), sorted(expected));
  },
  bounded({ file }, answer) {
    if (answer.code) checkMessage(answer, file);
  },
};

const kindOf = ({ tensors, isEither }) => (isEither ? 'bounded' : tensors ? 'loaded' : 'refused');
const sentences = { bounded: 'takes neither long nor much memory', loaded: 'loads', refused: 'is refused' };

describe('a checkpoint that was made to', function () {
  this.timeout(900_000);
  const temporary = temporaryFolder();
  const files = listFiles(temporary('files'));
  const answers = new Map();

  before(async () => {
    for (const { write } of files) write();
    fs.mkdirSync(temporary('here'));
    await loadAll(files, temporary('here'), ({ file }, answer) => answers.set(file, answer));
  });

  for (const file of files) {
    const kind = kindOf(file);
    it(`${kind === 'refused' ? 'break or mislead' : 'look odd'} (${file.kind}: ${file.name}) ${sentences[kind]}`, () => {
      const answer = answers.get(file.file);
      checkLimits(answer);
      checks[kind](file, answer);
    });
  }

  it('run code runs none', () => {
    assert.deepEqual(fs.readdirSync(temporary('here')), []);
  });

  it('run code would run it in a loader that trusts files', function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    const { file } = files.find(({ name }) => name === 'in place of a tensor: os.system');
    fs.mkdirSync(temporary('there'));
    runPython('-c', [
      `import os, sys, torch; os.chdir(sys.argv[1]); torch.load(sys.argv[2], weights_only=False)`,
      temporary('there'),
      file,
    ]);
    assert.deepEqual(fs.readdirSync(temporary('there')), ['canary']);
  });
});
