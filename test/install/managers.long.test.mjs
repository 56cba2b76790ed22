// Tests the packages as a user gets them: installed by each package manager into an empty folder of a machine without compiler,
// cmake, Python and network, where README's program runs on each Node.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { needs, readmeProgram, runPython } from '../support.mjs';
import { managers } from './managers.mjs';
import { install, projectsFolder } from './project.mjs';
import { registry } from './registry.mjs';
import { tool, toolsNamed } from './tools.mjs';

/** Follows README's program and prints its outcome as JSON. */
const verdict = `
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import * as door from 'torch-incremental';
const given = await door.loadState('pretrained_model.pth');
const again = await door.loadState('updated_model.pth');
const hash = createHash('sha256');
for (const name of again.names) hash.update(again.tensor(name).data);
console.log(JSON.stringify({
  learned: (await evaluate(state, { data })).accuracy > before.accuracy,
  sameAsSaved: state.equals(again),
  sameAsGiven: state.equals(given),
  oneClass: createRequire(import.meta.url)('torch-incremental').LearnError === door.LearnError,
  sha256: hash.digest('hex'),
}));
`;

describe('an installation', () => {
  const folder = projectsFolder();
  const nodes = toolsNamed('node');
  /** The files that README's program wrote, by their paths, and the SHA-256 of their tensors. */
  const written = new Map();

  for (const [index, manager] of Object.keys(managers).entries()) {
    describe(`by ${manager}`, () => {
      let project;

      before(async function () {
        project = await install(this, folder(`${index}`), manager);
        project.write('app.mjs', `${readmeProgram}${verdict}`);
      });

      after(() => fs.rmSync(folder(`${index}`), { recursive: true, force: true }));

      it('mentions no scripts that run, are blocked or are skipped', () => {
        assert.doesNotMatch(project.said, /scripts?\b|postinstall|must be built/i);
      });

      for (const version of nodes) {
        it(`runs and trains README's program on ${version}, and its doctor reports ok`, async function () {
          await tool(this, version);
          const { code, stdout, stderr } = await project.node(['app.mjs'], { version });
          assert.equal(code, 0, stderr);
          const [accuracy, last] = stdout.trimEnd().split('\n');
          assert.match(accuracy, /^accuracy 0\.\d+ -> (0\.\d+|1)$/);
          const { sha256, ...result } = JSON.parse(last);
          assert.deepEqual(result, {
            learned: true,
            sameAsSaved: true,
            sameAsGiven: false,
            oneClass: true,
          });
          const kept = folder(`${index} ${version}.pth`);
          fs.renameSync(path.join(project.folder, 'updated_model.pth'), kept);
          written.set(kept, sha256);

          const doctor = await project.bin(['doctor', '--json'], { version });
          assert.equal(doctor.code, 0, doctor.stdout + doctor.stderr);
          const report = JSON.parse(doctor.stdout);
          assert.deepEqual([report.ok, report.problems], [true, []]);
          assert.match(report.libtorch.folder, /libtorch-linux-x64-cpu/);
          assert.ok(path.resolve(report.libtorch.folder).startsWith(folder()), report.libtorch.folder);
        });
      }
    });
  }

  // Mocha runs the tests of a suite before the suites in it.
  describe('by all of them', () => {
    it('has written files that Python reads with the same bits', async function () {
      needs(this, 'TORCH_INCREMENTAL_PYTHON');
      await registry(this);
      assert.ok(written.size > 0);
      const script = path.join(import.meta.dirname, 'sums.py');
      assert.deepEqual(JSON.parse(runPython(script, [...written.keys()])), [...written.values()]);
    });
  });
});
