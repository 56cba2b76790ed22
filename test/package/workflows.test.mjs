// Tests the workflows: they are YAML, run existing scripts, and contain what makes a release safe.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { managers } from '../../scripts/release/managers.mjs';
import { matrix, packsOn } from '../../scripts/release/matrix.mjs';
import { builtPlatforms } from '../../scripts/release/pin.mjs';
import { root } from '../support.mjs';

const folder = path.join(root, '.github', 'workflows');
const read = (name) => parse(fs.readFileSync(path.join(folder, name), 'utf8'));
const { scripts } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

for (const name of fs.readdirSync(folder)) {
  describe(`the workflow ${name}`, () => {
    const workflow = read(name);
    const jobs = Object.entries(workflow.jobs);
    const steps = jobs.flatMap(([job, { steps }]) => steps.map((step) => ({ job, ...step })));

    it('names every action by a commit, with its version', () => {
      const text = fs.readFileSync(path.join(folder, name), 'utf8');
      const used = text.match(/uses: .*/g);
      assert.equal(used.length, steps.filter(({ uses }) => uses).length);
      for (const line of used) assert.match(line, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

    it('runs npm scripts and files that exist', () => {
      const commands = steps.flatMap(({ run }) => (run ? [run] : []));
      for (const [, script] of commands.join('\n').matchAll(/npm run ([\w:-]+)/g)) assert.ok(scripts[script], script);
      for (const [, file] of commands.join('\n').matchAll(/node (scripts\/\S+)/g))
        assert.ok(fs.existsSync(path.join(root, file)), file);
      assert.ok(commands.length > 0);
    });

    it('needs only jobs that exist, and gives no job more rights than reading, except the one that publishes', () => {
      assert.deepEqual(workflow.permissions, { contents: 'read' });
      for (const [job, { needs = [], permissions }] of jobs) {
        for (const need of [needs].flat()) assert.ok(workflow.jobs[need], need);
        const expected = job === 'publish' ? { contents: 'read', 'id-token': 'write' } : undefined;
        assert.deepEqual(permissions, expected);
      }
      for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout')))
        assert.equal(step.with['persist-credentials'], false);
    });
  });
}

describe('the workflow of a release', () => {
  const { jobs } = read('release.yml');
  const runs = (job) => jobs[job].steps.map(({ run }) => run ?? '').join('\n');

  it('packs and checks before it publishes, and tries the published packages with every package manager and Node', () => {
    assert.deepEqual(jobs.publish.needs, ['pack', 'test', 'by-hand']);
    assert.match(runs('pack'), /npm run release:check -- --publish\n/);
    assert.match(runs('test'), /npm test\n(.*\n)*npm run test:long/);
    assert.equal(jobs.smoke.needs, 'publish');
    assert.deepEqual(jobs.smoke.strategy.matrix.manager, Object.keys(managers));
    assert.deepEqual(jobs.smoke.strategy.matrix.node, [20, 22, 24]);
    assert.match(runs('smoke'), /npm audit signatures/);
  });

  it('publishes with provenance and without a token, libtorch before the main package', () => {
    const step = jobs.publish.steps.find(({ run }) => run?.includes('publish.mjs'));
    assert.equal(step.env.NPM_CONFIG_PROVENANCE, 'true');
    assert.match(step.run, /publish\.mjs .*libtorch-\*\.tgz.*torch-incremental-\$version\.tgz/s);
    assert.doesNotMatch(fs.readFileSync(path.join(folder, 'release.yml'), 'utf8'), /NODE_AUTH_TOKEN|secrets\./);
  });

  it('has a machine for every platform that is built, and reports a platform without one', () => {
    const others = builtPlatforms.filter((platform) => platform !== packsOn);
    assert.deepEqual(
      matrix(builtPlatforms).map(({ platform }) => platform),
      others,
    );
    assert.deepEqual(
      matrix(['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64']).map(({ runner }) => runner.split('-')[0]),
      ['ubuntu', 'macos', 'windows'],
    );
    assert.throws(() => matrix(['sunos-sparc']), /names no machine for sunos-sparc/);
  });
});
