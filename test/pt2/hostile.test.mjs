// Hostile archives are refused with an error of this library that names the file and what is wrong, whatever their form, in time and memory in
// proportion to their size.
import assert from 'node:assert/strict';
import { LearnError } from '../../dist/core/errors.js';
import { withArchive } from '../../dist/pt2/archive.js';
import { readProgram } from '../../dist/pt2/program.js';
import { temporaryFolder } from '../support.mjs';
import { archive, forms, written } from './archives.mjs';
import { model } from './descriptions.mjs';
import { archives, tensors, texts } from './hostile-archives.mjs';
import { programs } from './hostile-programs.mjs';
import { specifications } from './hostile-specifications.mjs';

/** Milliseconds for a megabyte of archive, ten times what is seen, and for any archive. */
const [perMegabyte, leastTime] = [1500, 2000];
/** Bytes of memory for one of archive, and for any archive: the limit on the values of JSON. */
const [perByte, leastMemory] = [20, 2 ** 26];

describe('hostile archives', () => {
  const at = temporaryFolder();

  async function refused(content, words, code = 'ERR_STATE_FORMAT') {
    const file = written(at('net.pt2'), content);
    const [started, before] = [performance.now(), process.memoryUsage().rss];
    await assert.rejects(
      withArchive(file, (opened) => readProgram(opened)),
      (error) => {
        assert.ok(error instanceof LearnError, error.stack);
        assert.match(error.message, words);
        assert.equal(error.code, code, error.message);
        assert.ok(error.message.startsWith(`Cannot load ${file}: `), error.message);
        assert.ok(error.message.length < 1000, `a message of ${error.message.length} characters`);
        return true;
      },
    );
    const bytes = Buffer.byteLength(content);
    const [time, memory] = [performance.now() - started, process.memoryUsage().rss - before];
    assert.ok(time < leastTime + (perMegabyte * bytes) / 2 ** 20, `${time} ms`);
    assert.ok(memory < leastMemory + perByte * bytes, `${memory} bytes`);
  }

  for (const [name, [content, words, code]] of Object.entries({ ...archives, ...texts, ...tensors }))
    it(`are refused: ${name}`, () => refused(content, words, code));

  for (const [name, [json, words]] of Object.entries({ ...programs, ...specifications }))
    it(`are refused in every form: ${name}`, async () => {
      for (const form of forms) await refused(archive(model(), { form, json: (program) => void json(program) }), words);
    });

  it('cut anywhere are refused, with errors of this library alone', async () => {
    const whole = archive(model());
    for (let length = 0; length < whole.length; length += 97) await refused(whole.subarray(0, length), /./);
  });

  it('with bytes of their JSON changed are read or refused, with errors of this library alone', async () => {
    const random = randomFrom(7);
    let refusals = 0;
    for (let round = 0; round < 300; round++) {
      const changed = (json) => {
        const bytes = Buffer.from(JSON.stringify(json));
        for (let i = 0; i <= random(3); i++) bytes[random(bytes.length)] = 32 + random(95);
        return bytes;
      };
      const file = written(at('net.pt2'), archive(model(), { form: forms[round % 3], json: changed }));
      await withArchive(file, (opened) => readProgram(opened)).catch((error) => {
        assert.ok(error instanceof LearnError, error.stack);
        refusals++;
      });
    }
    assert.ok(refusals > 100 && refusals < 300, `${refusals} of 300 were refused`);
  });
});

/** Makes the same numbers below `below` in every run. */
function randomFrom(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
