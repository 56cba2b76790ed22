// Tests lib/install/install-libtorch.ts with a mirror or a proxy: the requests, and the messages.
import assert from 'node:assert/strict';
import { startProxy, status } from './file-server.mjs';
import { fails, madeUpManifest, useMadeUpCache } from './libtorch-support.mjs';

describe('installing libtorch through a mirror or a proxy', () => {
  const made = useMadeUpCache();
  const { install } = made;

  it('uses a mirror instead, under the same path, and follows its redirections', async () => {
    for (const name of ['torch-1+cpu.whl', 'torch-1.whl', 'nvidia_cublas.whl'])
      made.server.files.set(`/mirror/whl/${name}`, made.server.files.get(`/${name}`));
    const mirror = `${made.server.url()}/mirror/`;
    made.manifest = madeUpManifest({ ...made.server, files: new Map(), url: () => '' }, 'https://download.test/whl');
    made.server.answers.set('/mirror/whl/torch-1+cpu.whl', [
      status(302, { location: '/mirror/whl/torch-1+cpu.whl?moved' }),
    ]);
    made.server.files.set('/mirror/whl/torch-1+cpu.whl?moved', made.server.files.get('/mirror/whl/torch-1+cpu.whl'));
    await install('cpu', { mirror });
    await install('cu130', { mirror });
    assert.equal(made.server.requests.length, 4);
    await fails(install('cu126', { mirror, sha256: '0'.repeat(64) }), 'ERR_DOWNLOAD', /404 Not Found/);
    await fails(
      install('cpu', { mirror: 'mirror.test' }),
      'ERR_INVALID_OPTION',
      /LIBTORCH_MIRROR but received 'mirror/,
    );
  });

  it('does not print the password of a mirror, and refuses a mirror with a query', async () => {
    const mirror = `${made.server.url().replace('//', '//user:secret@')}/mirror`;
    const notes = [];
    const isReported = (error) => {
      assert.doesNotMatch([error.message, ...notes].join(), /secret|user/);
      return error.code === 'ERR_DOWNLOAD' && error.message.includes(`https: ${made.server.url()}/mirror/torch-1`);
    };
    await assert.rejects(install('cpu', { mirror, onNote: (text) => notes.push(text) }), isReported);
    for (const [value, shown] of [
      [`${mirror}?token=abc`, `${made.server.url()}/mirror?…`],
      [`${mirror}#abc`, `${made.server.url()}/mirror#…`],
      ['http://user:sec/ret@host', 'http://host'],
    ]) {
      await assert.rejects(install('cpu', { mirror: value }), (error) => {
        assert.ok(error.message.endsWith(`LIBTORCH_MIRROR but received '${shown}'`), error.message);
        return error.code === 'ERR_INVALID_OPTION';
      });
    }
    const from = 'http://user:secret@host/';
    const given = '0'.repeat(64);
    await fails(install('cpu', { from, sha256: given }), 'ERR_INVALID_OPTION', /received 'http:\/\/host\/'$/);
  });

  it('names the variable of an invalid proxy, and not the address that it fetches', async () => {
    process.env.http_proxy = 'ftp://x:1';
    try {
      await fails(install('cpu'), 'ERR_INVALID_OPTION', /^Expected an address such as .* in http_proxy/);
    } finally {
      delete process.env.http_proxy;
    }
  });

  it('goes through a proxy', async () => {
    const proxy = await startProxy(new URL(made.server.url()).port);
    made.manifest = madeUpManifest(made.server, 'http://download.test');
    process.env.http_proxy = `http://${proxy.address}`;
    try {
      await install('cu130');
    } finally {
      delete process.env.http_proxy;
      proxy.stop();
    }
    assert.deepEqual(proxy.requests, [
      'GET http://download.test/torch-1.whl',
      'GET http://download.test/nvidia_cublas.whl',
    ]);
  });
});
