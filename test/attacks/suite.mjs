// Tests of broken and hostile checkpoints, made by make.mjs: each is refused with the right code and words, within bounded work and
// memory, with nothing run. Their benign relatives load. The files of attacks.test.mjs and attacks.long.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { isSanitized } from './limited.mjs';
import { listFiles } from './make.mjs';
import { loadAll } from './run.mjs';

/** No file is read more than about twice, whatever it says of itself. */
const mostRead = (size) => 4 * size + 2 ** 20;
const mostMegabytes = 512;
/** Ten times what the slowest file takes of the processor: what is counted is compared above, and this ends what never would. */
const mostMilliseconds = 20_000;
const longestMessage = 4000;
/** A terminal would obey what is between them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

/** Of a folder, the size of what is in it. */
function sizeOf(file) {
  try {
    const stat = fs.statSync(file);
    if (!stat.isDirectory()) return stat.size;
    return fs.readdirSync(file).reduce((sum, name) => sum + fs.statSync(path.join(file, name)).size, 0);
  } catch {
    return 0; // of what is no file, or of a link to itself
  }
}

function checkLimits(file, { code, message, read, milliseconds, megabytes }) {
  assert.ok(!['hang', 'crash', 'another error'].includes(code), `${code}: ${message?.slice(0, 2000)}`);
  if (isSanitized) return;
  const size = sizeOf(file);
  assert.ok(read <= mostRead(size), `it has ${size} bytes, and ${read} were read`);
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

/** Files of megabytes, most of which take a second to make and another to load. */
export const isLarge = ({ kind, slow }) => /large|bombs/.test(kind) || Boolean(slow);

/** Writes and loads every file that is wanted, and has a test for each; `temporary` names files in a folder of their own. */
export function testFiles(isWanted, temporary) {
  const files = listFiles(temporary('files')).filter(isWanted);
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
      checkLimits(file.file, answer);
      checks[kind](file, answer);
    });
  }

  it('run code runs none', () => {
    assert.deepEqual(fs.readdirSync(temporary('here')), []);
  });

  return files;
}
