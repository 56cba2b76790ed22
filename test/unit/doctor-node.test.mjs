// Tests doctor on made-up Nodes and with all kinds of npm settings.
import assert from 'node:assert/strict';
import { candidate, examine, failure, found, keysOf, packageName } from './doctor-support.mjs';

describe('doctor: Node', () => {
  const at = (changes) => examine({ machine: changes });

  it('compares the versions of Node and Node-API with package.json', async () => {
    const old = await at({ versions: { node: '18.20.0', napi: '8' } });
    assert.deepEqual(keysOf(old), ['napi-too-old', 'node-too-old']);
    assert.match(found(old, 'node-too-old').text, /18\.20\.0; >=20\.19 is needed/);
    assert.match(found(old, 'napi-too-old').text, /version 8 of Node-API.* version 9/);
    assert.deepEqual(keysOf(await at({ versions: { node: '20.19.0', napi: '9' } })), []);
    assert.deepEqual(keysOf(await at({ versions: { node: '20.18.3', napi: '9' } })), ['node-too-old']);
  });

  it('finds --no-addons on the command line and in NODE_OPTIONS', async () => {
    assert.equal(found(await at({ execArgv: ['--no-addons'] }), 'no-addons').kind, 'problems');
    const env = { NODE_OPTIONS: '--max-old-space-size=100  --no-addons' };
    assert.equal(found(await at({ env }), 'no-addons').kind, 'problems');
  });

  it('finds a permission model without addons', async () => {
    for (const flag of ['--permission', '--experimental-permission']) {
      assert.equal(found(await at({ execArgv: [flag] }), 'permission-addons').kind, 'problems');
      assert.equal(found(await at({ execArgv: [flag, '--allow-addons'] }), 'permission-addons'), undefined);
    }
  });

  it('detects an emulated Node', async () => {
    const { text } = found(await at({ machine: 'aarch64' }), 'arch-mismatch');
    assert.match(text, /compiled for x64, and the machine is aarch64/);
  });

  it('distinguishes Electron, Bun and workers from Node', async () => {
    const versions = { node: '22.1.0', napi: '9' };
    const electron = await at({ versions: { ...versions, electron: '35.0.0' } });
    assert.equal(electron.node.runtime, 'electron');
    assert.match(found(electron, 'other-runtime').text, /asarUnpack/);
    assert.match(found(await at({ versions: { ...versions, bun: '1.2.0' } }), 'other-runtime').text, /This is bun/);
    assert.equal((await at({ isMainThread: false })).node.isMainThread, false);
  });
});

describe('doctor: npm', () => {
  const npmOf = async ({ files = {}, env = {} }) => (await examine({ machine: { files, env } })).npm;
  const nothing = { candidates: [], probe: failure({ code: 'ERR_LIBTORCH_NOT_FOUND' }) };

  it('needs no scripts, and uses the public registry by default', async () => {
    const { scripts, registry, omitsOptional } = await npmOf({});
    assert.equal(scripts, 'not needed');
    assert.deepEqual(registry, { url: null, source: null, isDefault: true });
    const named = await npmOf({ env: { npm_config_registry: 'https://own.npmjs.org' } });
    assert.deepEqual(named.registry, { url: 'https://own.npmjs.org/', source: 'npm_config_registry', isDefault: true });
    assert.equal(omitsOptional, null);
  });

  it('prefers variables to the project, the project to the user, and the user to the machine', async () => {
    const files = {
      '/usr/etc/npmrc': 'registry=https://machine.example/\n',
      '/home/user/.npmrc': '; mine\nregistry = "https://user.example"\n',
      '/app/package.json': '{}',
      '/app/.npmrc': 'registry=https://project.example/npm\n',
    };
    const env = { npm_config_registry: 'https://variable.example/' };
    const urls = [];
    for (const [without, variables] of [
      [[], env],
      [[], {}],
      [['/app/.npmrc'], {}],
      [['/app/.npmrc', '/home/user/.npmrc'], {}],
    ]) {
      const rest = Object.fromEntries(Object.entries(files).filter(([name]) => !without.includes(name)));
      urls.push((await npmOf({ files: rest, env: variables })).registry);
    }
    assert.deepEqual(
      urls.map(({ url, source, isDefault }) => [url, source, isDefault]),
      [
        ['https://variable.example/', 'npm_config_registry', false],
        ['https://project.example/npm/', '/app/.npmrc', false],
        ['https://user.example/', '/home/user/.npmrc', false],
        ['https://machine.example/', '/usr/etc/npmrc', false],
      ],
    );
  });

  it('finds the project from a folder inside it', async () => {
    const files = { '/app/package.json': '{}', '/app/.npmrc': 'registry=https://project.example/' };
    const { npm } = await examine({ machine: { files, cwd: '/app/src/deep' } });
    assert.equal(npm.registry.url, 'https://project.example/');
  });

  it("uses the registry of the package's scope, and Yarn's", async () => {
    const scoped = {
      '/home/user/.npmrc': 'registry=https://all.example/\n@torch-incremental:registry=https://ours.example/\n',
    };
    assert.equal((await npmOf({ files: scoped })).registry.url, 'https://ours.example/');
    const yarn = {
      '/app/package.json': '',
      '/app/.yarnrc.yml': 'nodeLinker: pnp\nnpmRegistryServer: "https://yarn.example"\n',
    };
    assert.equal((await npmOf({ files: yarn })).registry.url, 'https://yarn.example/');
  });

  it('shows no password, and fills variables in as npm does', async () => {
    const files = { '/home/user/.npmrc': `registry=https://me:\${TOKEN}@\${HOST}/\n//x/:_authToken=hidden\n` };
    const report = await examine({ machine: { files, env: { TOKEN: 'secret', HOST: 'mirror.example' } } });
    assert.equal(report.npm.registry.url, 'https://***@mirror.example/');
    assert.ok(!JSON.stringify(report).includes('secret') && !JSON.stringify(report).includes('hidden'));
  });

  it('notes another registry, and warns of it if libtorch is missing', async () => {
    const machine = { env: { npm_config_registry: 'https://mirror.example/' } };
    assert.equal(found(await examine({ machine }), 'registry-custom').kind, 'notes');
    const { kind, text, remedy } = found(await examine({ machine, ...nothing }), 'registry-custom');
    assert.equal(kind, 'warnings');
    assert.match(
      text,
      /come from https:\/\/mirror\.example\/ .* may not have @torch-incremental\/libtorch-linux-x64-cpu/,
    );
    assert.match(
      remedy,
      /npm view @torch-incremental\/libtorch-linux-x64-cpu@2\.13\.0.*torch-incremental libtorch install/,
    );
  });

  it('finds omitted optional dependencies, in every form of the setting', async () => {
    for (const [files, env] of [
      [{ '/home/user/.npmrc': 'omit=optional\n' }, {}],
      [{ '/home/user/.npmrc': 'omit[]=dev\nomit[]=optional\n' }, {}],
      [{ '/home/user/.npmrc': 'optional=false\n' }, {}],
      [{}, { npm_config_omit: 'dev,optional' }],
    ]) {
      const report = await examine({ machine: { files, env }, ...nothing });
      assert.equal(found(report, 'optional-omitted')?.kind, 'warnings', JSON.stringify([files, env]));
      assert.match(found(report, 'optional-omitted').remedy, /--include=optional/);
    }
    assert.equal((await npmOf({ env: { npm_config_omit: 'dev' } })).omitsOptional, null);
  });

  it('compares the version of the package with libtorch', async () => {
    const folder = '/app/node_modules/@torch-incremental/libtorch-linux-x64-cpu';
    const own = candidate({ source: packageName, folder, variant: null });
    const at = (version) =>
      examine({
        candidates: [own],
        probe: { mapped: [] },
        machine: { files: { [`${folder}/package.json`]: JSON.stringify({ version }) } },
      });
    assert.deepEqual(keysOf(await at('2.13.0')), []);
    const { kind, text, remedy } = found(await at('2.11.0'), 'libtorch-package-version');
    assert.equal(kind, 'warnings');
    assert.match(text, /installed in version 2\.11\.0; 2\.13\.0 belongs/);
    assert.match(remedy, /npm install @torch-incremental\/libtorch-linux-x64-cpu@2\.13\.0/);
  });
});
