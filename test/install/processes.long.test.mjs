// Tests processes of an installed package: worker threads, two copies of the package, and their exit.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../support.mjs';
import { copyOfProject, libtorch, main, projectsFolder, sharedProject } from './project.mjs';
import { tool, toolsNamed } from './tools.mjs';

describe('a process with an installed package', () => {
  const folder = projectsFolder();
  let project;

  before(async function () {
    project = await sharedProject(this);
    const name = 'test/lifetime/fixtures/run.mjs';
    project.write('run.mjs', fs.readFileSync(path.join(root, name)));
  });

  const run = async (args, options) => {
    const { code, signal, stdout, stderr, left } = await project.node(['run.mjs', ...args], options);
    assert.deepEqual([signal, stderr, left], [null, '', []]);
    return [code, stdout];
  };

  for (const version of toolsNamed('node')) {
    describe(`of ${version}`, () => {
      before(function () {
        return tool(this, version);
      });

      it('ends by itself with code 0', async () => {
        assert.deepEqual(await run(['natural'], { version }), [0, 'steps 16\n']);
      });

      it('ends with code 0 by process.exit(0) in the middle of a run, here and in a worker', async () => {
        assert.deepEqual(await run(['exit with worker', '0'], { version }), [0, '']);
      });

      it('trains to the same bits in a worker and outside at the same time', async () => {
        assert.deepEqual(await run(['in a worker and outside'], { version }), [0, 'equal true code 0\n']);
      });

      it('outlives workers terminated while they train, trains then, and ends with code 0', async () => {
        assert.deepEqual(await run(['terminate'], { version }), [0, 'codes 1,1 steps 8\n']);
      });
    });
  }

  it('leaves no child process after a libtorch was tried in one', async () => {
    const env = { TORCH_INCREMENTAL_LIBTORCH: project.installed(libtorch) };
    assert.deepEqual(await run(['natural'], { env }), [0, 'steps 16\n']);
  });

  describe('and another copy of it in another folder', () => {
    let other;

    before(async function () {
      // Copies, not links, because the system would treat links as the same library.
      other = await copyOfProject(this, folder('other'));
      for (const name of [main, libtorch]) {
        fs.rmSync(other.installed(name), { recursive: true });
        execFileSync('cp', ['-r', project.installed(name), other.installed(name)]);
      }
    });

    it('uses both: equal numbers, two classes, and a state of one is refused by the other', async () => {
      project.write('two.cjs', twoCopies);
      const { code, stdout, stderr } = await project.node(['two.cjs', project.installed(main), other.installed(main)]);
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), {
        equal: true,
        oneClass: false,
        refused: 'ERR_INVALID_OPTION: Expected a State for "state" but received an object (State)',
        libraries: 1,
      });
    });
  });
});

const twoCopies = `
const fs = require('node:fs');
const copies = process.argv.slice(2).map((folder) => require(folder));
const inputs = Uint8Array.from({ length: 64 * 3072 }, (_, i) => (i * 31) % 251);
const labels = Int32Array.from({ length: 64 }, (_, i) => i % 10);
async function main() {
  const states = [];
  for (const { arrays, createState, net, trainIncremental } of copies) {
    const data = arrays({ inputs, labels, shape: [3, 32, 32], classes: 10 });
    const { state } = await trainIncremental(await createState(net(), { seed: 1 }), { data, epochs: 1, seed: 1 });
    states.push(state);
  }
  const [a, b] = states.map((state) => Buffer.from(state.tensor('fc.weight').data.buffer));
  const refused = await copies[1].saveState(states[0], 'other.pth').then(() => null, ({ code, message }) => code + ': ' + message);
  const libraries = fs.readFileSync('/proc/self/maps', 'utf8').match(/\\/\\S+\\/libtorch_cpu\\.so/g);
  console.log(JSON.stringify({
    equal: a.equals(b),
    oneClass: copies[0].State === copies[1].State,
    refused,
    libraries: new Set(libraries).size,
  }));
}
main();
`;
