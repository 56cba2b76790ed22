// Tests scripts/release/verify-archives.mjs against a local server.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { archiveOf, builtPlatforms, pinnedArchives } from '../../scripts/release/pin.mjs';
import { verifyArchives } from '../../scripts/release/verify-archives.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

describe('the pinned archives', () => {
  let server;
  let base;

  before(async () => {
    server = http.createServer(({ url }, response) => {
      response.statusCode = url === '/gone' ? 404 : 200;
      response.end(url);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    base = `http://127.0.0.1:${server.address().port}`;
  });

  after(() => server.close());

  it('are fetched and compared: same, changed, missing and unreachable', async () => {
    const archives = [
      { url: `${base}/same`, sha256: sha256('/same') },
      { url: `${base}/other`, sha256: sha256('/same') },
      { url: `${base}/gone`, sha256: sha256('/gone') },
      { url: 'http://127.0.0.1:1/', sha256: 'ab' },
    ];
    const problems = await verifyArchives(archives);
    assert.deepEqual(problems.slice(0, 2), [
      `${base}/other: ${sha256('/other')}, expected ${sha256('/same')}`,
      `${base}/gone: HTTP 404, expected ${sha256('/gone')}`,
    ]);
    assert.match(problems[2], /^http:\/\/127\.0\.0\.1:1\/: .*(ECONNREFUSED|bad port).*, expected ab$/);
    assert.equal(problems.length, 3);
  });

  it('are those of libtorch.json that have a checksum, with an address over https', () => {
    for (const platform of builtPlatforms) assert.ok(pinnedArchives().includes(archiveOf(platform)));
    for (const { url, sha256: sum } of pinnedArchives()) {
      assert.match(url, /^https:\/\//);
      assert.match(sum, /^[0-9a-f]{64}$/);
    }
  });

  it('name a platform without an archive', () => {
    assert.throws(
      () => archiveOf('sunos-sparc'),
      /Nothing is released for sunos-sparc: libtorch\.json says that linux-x64/,
    );
  });
});
