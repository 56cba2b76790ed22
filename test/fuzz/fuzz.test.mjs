// The fuzzers themselves: that they can be repeated, that they reach both ways out of the reader, and that they would tell.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LearnError, loadState } from 'torch-incremental';
import { root, temporaryFolder } from '../support.mjs';
import { caseOf, targetNames } from './cases.mjs';
import { instructions, putTogether, takeApart } from './instructions.mjs';
import { goodFiles, goodPickles } from './seeds.mjs';

const fuzz = (...args) =>
  spawnSync(process.execPath, [path.join(import.meta.dirname, 'fuzz.mjs'), ...args], { encoding: 'utf8', cwd: root });

describe('the fuzzers', () => {
  const temporary = temporaryFolder();

  for (const target of targetNames) {
    it(`for ${target} make the same files of a seed, and others of another`, () => {
      const hashes = (seed) =>
        Array.from({ length: 50 }, (_, i) =>
          createHash('sha256')
            .update(caseOf(target, seed, i))
            .digest('hex'),
        );
      assert.deepEqual(hashes(1), hashes(1));
      assert.notDeepEqual(hashes(1), hashes(2));
      assert.ok(new Set(hashes(1)).size > 25);
    });

    it(`for ${target} make files that load and files that are refused`, async () => {
      const found = { loaded: 0, refused: new Set() };
      for (let i = 0; i < 300; i++) {
        fs.writeFileSync(temporary('case.pth'), caseOf(target, 3, i));
        const state = await loadState(temporary('case.pth')).catch((error) => {
          assert.ok(error instanceof LearnError, error.stack);
          found.refused.add(error.message.replace(/\d+|"[^"]*"/g, ''));
        });
        if (state) found.loaded++;
        state?.dispose();
      }
      assert.ok(found.loaded >= 5, `${found.loaded} loaded`);
      assert.ok(found.refused.size >= 15, `${found.refused.size} ways to be refused`);
    });
  }

  it('take pickles apart and put them together without losing a byte', () => {
    for (const { pickle } of goodPickles(goodFiles())) assert.ok(putTogether(takeApart(pickle)).equals(pickle));
    const one = instructions
      .filter(({ name }) => name !== 'STOP')
      .map(({ code, kind, width }) => {
        const operand = kind === '|' ? 'a\n'.repeat(width) : kind === '+' ? 'abc' : 'x'.repeat(width);
        return { code, kind, width, operand: Buffer.from(operand) };
      });
    assert.equal(takeApart(putTogether(one)).length, one.length);
  });

  it('find nothing in two seconds, and tell how much they did', () => {
    const { status, stdout } = fuzz('--seconds', '2', '--out', temporary('none'));
    assert.equal(status, 0, stdout);
    for (const target of targetNames)
      assert.match(stdout, new RegExp(`^${target}: \\d+ files, \\d+ a second, \\d+ different`, 'm'));
    assert.ok(!fs.existsSync(temporary('none')));
  });

  it('keep the file of what they find, and fail', () => {
    const { status, stdout } = fuzz(
      '--seconds',
      '0.2',
      '--target',
      'zip',
      '--slow-ms',
      '0',
      '--out',
      temporary('some'),
    );
    assert.equal(status, 1, stdout);
    const [name] = fs.readdirSync(temporary('some')).sort();
    assert.match(stdout, new RegExp(`${name}: it took 0 ms|${name}: it took`));
    const [, seed, index] = name.match(/^zip-(\d+)-(\d+)\.pth$/);
    assert.ok(fs.readFileSync(path.join(temporary('some'), name)).equals(caseOf('zip', Number(seed), Number(index))));
  });

  it('refuse a target that there is none of', () => {
    assert.match(fuzz('--target', 'tar').stderr, /--target is one of zip, pickle, legacy, safetensors, not tar/);
  });
});
