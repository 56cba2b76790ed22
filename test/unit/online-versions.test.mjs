// The files of an online learner's versions.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { VersionFiles } from '../../dist/online/versions/files.js';
import { temporaryFolder } from '../support.mjs';

describe('the files of versions', () => {
  const at = temporaryFolder();

  it('are removed when no snapshot needs them, but not those made meanwhile', async () => {
    const names = [0, 1, 2, 3].flatMap((version) =>
      ['json', 'pth'].map((type) => `version-00000000${version}.${type}`),
    );
    for (const name of [...names, 'notes.txt']) fs.writeFileSync(at(name), '');
    await new VersionFiles(at()).keep([2, 0]);
    const left = names.filter((name) => !name.startsWith('version-000000001'));
    assert.deepEqual(fs.readdirSync(at()).sort(), ['notes.txt', ...left]);
  });
});
