// Measures and says what an installation costs: the time until the first trained step, and what importing the package takes before it
// is used. Times are compared with ten times what is usual; memory and libraries are counted.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { install, main, projectsFolder, sharedProject } from './project.mjs';
import { tool, toolsNamed } from './tools.mjs';

/** Libraries that the package maps on first use, and that importing it must not map. */
const libraries = ['loader.glibc.node', 'libc10.so', 'libtorch_cpu.so', 'torch_incremental.glibc.node'];

const say = (line) => console.log(`      ${line}`);

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

describe('an installed package', () => {
  const folder = projectsFolder();
  let project;

  before(async function () {
    project = await sharedProject(this); // also fills npm's cache
    project.write('idle.cjs', idle("require('torch-incremental');"));
    project.write('idle.mjs', idle("await import('torch-incremental');"));
  });

  /** In seconds, by a project of its own. */
  async function timeToFirstStep(test) {
    const where = folder('fresh');
    fs.mkdirSync(where);
    for (const name of ['data', 'pretrained_model.pth'])
      fs.cpSync(path.join(project.folder, name), path.join(where, name), { recursive: true });
    const start = performance.now();
    const fresh = await install(test, where, undefined, [['install', '--prefer-offline', main]]);
    const installed = performance.now();
    fresh.write('step.mjs', firstStep);
    const { code, stdout, stderr } = await fresh.node(['step.mjs']);
    const seconds = (performance.now() - start) / 1000;
    assert.deepEqual([code, stdout], [0, 'step 1 of 5\n'], stderr);
    const npm = (installed - start) / 1000;
    say(`npm install to the first trained step: ${seconds.toFixed(1)} s, of which npm ${npm.toFixed(1)} s`);
    return seconds;
  }

  it('has trained its first step soon after npm install began, from a warm cache', async function () {
    const seconds = await timeToFirstStep(this);
    assert.ok(seconds < 300, `${seconds} s`);
  });

  for (const version of toolsNamed('node')) {
    for (const [word, file] of [
      ['required', 'idle.cjs'],
      ['imported', 'idle.mjs'],
    ]) {
      it(`is ${word} in less than 120 MB by ${version}, without libtorch`, async function () {
        await tool(this, version);
        const runs = [];
        for (let i = 0; i < 5; i++) {
          const { code, stdout, stderr } = await project.node([file], { version });
          assert.equal(code, 0, stderr);
          runs.push(JSON.parse(stdout));
        }
        const ms = median(runs.map((run) => run.ms));
        const megabytes = median(runs.map((run) => run.megabytes));
        say(`${word} by ${version}: ${ms.toFixed(0)} ms, then ${megabytes.toFixed(0)} MB`);
        assert.ok(ms < 3000, `${ms} ms`);
        assert.ok(megabytes < 120, `${megabytes} MB`);
        for (const { mapped } of runs) assert.deepEqual(mapped, { before: [], after: libraries });
      });
    }
  }
});

/** Ends after the first trained step. */
const firstStep = `
import { trainIncremental } from 'torch-incremental';
await trainIncremental('pretrained_model.pth', {
  onProgress({ type, step, steps }) {
    if (type !== 'step') return;
    console.log('step ' + step + ' of ' + steps);
    process.exit();
  },
});
`;

/**
 * How long \`load\` takes, of the processor, since other processes may have the machine meanwhile, and what the process then
 * has, before and after the package is used.
 */
const idle = (load) => `
const begin = process.cpuUsage();
${load}
const { user, system } = process.cpuUsage(begin);
const ms = (user + system) / 1000;
const { readFileSync } = process.getBuiltinModule('node:fs');
const mapped = () =>
  ${JSON.stringify(libraries)}.filter((name) => readFileSync('/proc/self/maps', 'utf8').includes('/' + name));
setTimeout(async () => {
  const megabytes = process.memoryUsage.rss() / 1e6;
  const before = mapped();
  const { createState, net } = await import('torch-incremental');
  await createState(net());
  console.log(JSON.stringify({ ms, megabytes, mapped: { before, after: mapped() } }));
}, 100);
`;
