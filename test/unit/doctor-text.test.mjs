// Tests the text of doctor's report: on terminals of any width, in a bug report, and without secrets.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createColors } from 'picocolors';
import doctor from '../../dist/doctor/doctor.js';
import secrets from '../../dist/doctor/redact.js';
import text from '../../dist/doctor/report-text.js';
import sectionsModule from '../../dist/doctor/sections.js';
import { root } from '../support.mjs';
import { context, examine, failure, found, keysOf } from './doctor-support.mjs';

const { formatReport, formatBugReport } = text;

describe('doctor: on a terminal', () => {
  const broken = () =>
    doctor.examine(
      context({
        machine: { glibc: '2.17', env: { LD_PRELOAD: '/usr/lib/libjemalloc.so.2' } },
        candidates: [],
        probe: failure({ message: 'killed by SIGSEGV', signal: 'SIGSEGV' }),
      }),
    );

  it('shows every section, then problems with remedies, then the verdict', async () => {
    const lines = formatReport(await broken()).split('\n');
    const titles = Object.values(sectionsModule.sections).map(({ title }) => title);
    const order = [...titles, 'Problems', 'Notes', 'It does not work here: see the problems.'];
    const places = order.map((title) => lines.indexOf(title));
    assert.ok(!places.includes(-1), order[places.indexOf(-1)]);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
    assert.match(lines.join('\n'), /- This system has glibc 2\.17; .*\[glibc-too-old\]\n {4}→ Use a newer system/);
  });

  it('aligns the values of a section', async () => {
    const output = formatReport(await doctor.examine(context()));
    const values = ['22.1.0 (needed', '9 (needed: 9)', 'x64'];
    const section = output.slice(output.indexOf('\nNode\n') + 6).split('\n');
    const columns = values.map((value, index) => section[index].indexOf(value));
    assert.ok(columns[0] > 0 && columns.every((column) => column === columns[0]), section.slice(0, 3).join('\n'));
  });

  it('breaks lines for a narrow terminal, except longer words', async () => {
    for (const columns of [40, 60, 80]) {
      const { bold, dim, green, yellow, red } = createColors(false);
      const output = formatReport(await broken(), { paint: { bold, dim, green, yellow, red }, columns, homes: [] });
      const long = output.split('\n').filter((line) => line.length > columns);
      const unbroken = long.filter((line) => /\S \S/.test(line.slice(Math.ceil(columns / 4) + 8).trim()));
      assert.deepEqual(unbroken, [], `${columns} columns`);
    }
  });

  it('adds only colours, and changes nothing else', async () => {
    const diagnosis = await broken();
    const colored = formatReport(diagnosis, {
      paint: createColors(true),
      columns: Number.POSITIVE_INFINITY,
      homes: [],
    });
    assert.ok(colored.includes('\x1b[31m'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    assert.equal(colored.replace(/\x1b\[\d+m/g, ''), formatReport(diagnosis));
  });

  it('does not say that it works if that could not be tried', async () => {
    const diagnosis = await doctor.examine(context({ probe: failure({ started: false, stage: null }) }));
    assert.match(formatReport(diagnosis), /\nNothing could be tried: see the warnings\.$/);
  });

  it('says that it works despite a warning', async () => {
    const diagnosis = await doctor.examine(context({ machine: { versions: { node: '20.18.3', napi: '9' } } }));
    assert.match(formatReport(diagnosis), /Warnings\n {2}- .*20\.18\.3; >=20\.19 is needed/);
    assert.match(formatReport(diagnosis), /It works, but not everything works as it should: see the warnings\.$/);
  });
});

describe('doctor: for a bug report', () => {
  it('is in a fence, with ~ for the home folder and without fences inside', async () => {
    const machine = { env: { LIBTORCH: '/home/user/torch', OMP_NUM_THREADS: '```' }, home: '/home/user' };
    const report = formatBugReport(await doctor.examine(context({ machine, cacheRoot: '/home/user/.cache/x' })), [
      '/home/user',
    ]);
    assert.match(report, /^```\ntorch-incremental 9\.9\.9\n/);
    assert.deepEqual(report.match(/```/g).length, 2);
    assert.match(report, /LIBTORCH +~\/torch\n/);
    assert.match(report, /folder +~\/\.cache\/x/);
    assert.ok(!report.includes('/home/user'));
  });

  it('replaces the home folder only as a whole path', () => {
    assert.equal(secrets.withoutHome('/home/me/a /home/meadow /home/me: x', ['/home/me']), '~/a /home/meadow ~: x');
    const homes = (home, real = home) => secrets.homesOf({ home, realPath: () => real });
    assert.deepEqual([homes('/'), homes(null, '/x'), homes('/home/me')], [[], [], ['/home/me']]);
  });

  it('hides a home folder that is a link under both of its names', () => {
    for (const [named, real] of [
      ['/home/me', '/data/home/me'],
      ['/data/home/me', '/home/me'],
    ]) {
      const homes = secrets.homesOf({ home: named, realPath: () => real });
      assert.equal(secrets.withoutHome(`${named}/a ${real}/b`, homes), '~/a ~/b');
    }
  });

  it('masks credentials in addresses, with and without a scheme, and secrets by their names', () => {
    const { maskedVariable, masked } = secrets;
    assert.equal(masked('https://a:p@ss@host/@x'), 'https://***@host/@x');
    assert.equal(masked('https://a:b@host/x and ftp://c@host'), 'https://***@host/x and ftp://***@host');
    assert.equal(masked('https://a:b@host/x?token=c&d=/e then f?'), 'https://***@host/x?*** then f?');
    assert.equal(maskedVariable('TORCH_INCREMENTAL_LIBTORCH_MIRROR', 'https://h/x#token'), 'https://h/x?***');
    assert.equal(maskedVariable('https_proxy', 'me:pass@proxy:80'), '***@proxy:80');
    assert.equal(maskedVariable('HTTP_PROXY', 'proxy:80'), 'proxy:80');
    assert.equal(maskedVariable('NO_PROXY', 'a.example,b@c'), 'a.example,b@c');
    assert.equal(maskedVariable('TORCH_INCREMENTAL_LIBTORCH_MIRROR', 'https://u:p@h/'), 'https://***@h/');
    assert.equal(maskedVariable('TORCH_INCREMENTAL_TOKEN', 'abc'), '***');
  });
});

describe('doctor: the rest', () => {
  it('shows the relevant variables, and no others', async () => {
    const env = {
      TORCH_INCREMENTAL_LIBTORCH: '/a',
      LIBTORCH: '/b',
      OMP_NUM_THREADS: '2',
      CUDA_VISIBLE_DEVICES: '',
      LD_LIBRARY_PATH: '/c',
      https_proxy: 'http://me:pw@p:1',
      MY_SECRET: 'x',
      PATH: '/bin',
    };
    const { environment } = await examine({ machine: { env } });
    assert.deepEqual(environment.variables, {
      CUDA_VISIBLE_DEVICES: '',
      LD_LIBRARY_PATH: '/c',
      LIBTORCH: '/b',
      OMP_NUM_THREADS: '2',
      TORCH_INCREMENTAL_LIBTORCH: '/a',
      https_proxy: 'http://***@p:1',
    });
  });

  it('reports the size of each build in the cache, the free space, and whether it can be written to', async () => {
    const { cache } = await examine();
    assert.deepEqual(cache, {
      folder: '/cache/libtorch',
      exists: true,
      writable: true,
      freeBytes: 50e9,
      sizes: { '2.13.0+cpu': 475e6 },
    });
    const readOnly = await examine({ machine: { writable: () => false } });
    assert.equal(found(readOnly, 'cache-not-writable').kind, 'notes');
    assert.match(found(readOnly, 'cache-not-writable').remedy, /XDG_CACHE_HOME/);
  });

  it('continues if a section fails, and notes which', async () => {
    const text = (file) => {
      if (file === '/proc/cpuinfo') throw new Error('made up');
      return null;
    };
    const report = await examine({ machine: { text } });
    assert.equal(report.processor, null);
    assert.deepEqual(keysOf(report), ['check-failed']);
    assert.match(found(report, 'check-failed').text, /"Processor" could not be examined: made up/);
    assert.equal(report.status, 'ok');
    assert.ok(report.environment);
  });

  it('has every key of a finding in docs/doctor.md, and no others', () => {
    const folders = ['doctor', 'doctor/sections'].map((name) => path.join(root, 'lib', name));
    const sources = folders.flatMap((folder) => files(folder));
    const code = sources.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
    const calls = /(?:\b(?:problem|warning|note|loud|hint)\)?\(|return \[)\s*'([a-z0-9-]+)',/g;
    const used = new Set([...code.matchAll(calls)].map(([, key]) => key));
    // One call chooses between two keys.
    for (const key of ['ld-preload', 'ld-library-path']) used.add(key);
    const page = fs.readFileSync(path.join(root, 'docs', 'doctor.md'), 'utf8');
    const lists = page.slice(page.indexOf('\n## Problems'));
    const described = new Set([...lists.matchAll(/`([a-z0-9]+(?:-[a-z0-9]+)*)`/g)].map(([, key]) => key));
    assert.deepEqual([...described].sort(), [...used].sort());
  });

  function files(folder) {
    return fs
      .readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.join(folder, name));
  }
});
