// The line that `torch-incremental online` keeps up to date on a terminal.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createState, net, saveState } from 'torch-incremental';
import status from '../../dist/cli/online/status.js';
import { temporaryFolder } from '../support.mjs';
import { binary } from './run.mjs';

const { statusLine } = status;

describe('command line: the status line of online', () => {
  const at = temporaryFolder();

  const metrics = {
    ...{ updates: 1203, version: 24, queued: 64, quarantined: 0, duplicates: 0 },
    prequential: { windowed: { accuracy: 0.612, loss: 1.20344 } },
  };

  it('shows rate, updates, accuracy, loss, version and queued samples', () => {
    const line = '1,235 samples/s  1,203 updates  61.2 % right  loss 1.2034  version 24  64 queued';
    assert.equal(statusLine(metrics, 1234.6, 120), line);
  });

  it('shows samples that were not learned only if there are some', () => {
    const line = statusLine({ ...metrics, quarantined: 3, duplicates: 1500 }, 0, 120);
    assert.ok(line.endsWith('  version 24  3 quarantined  1,500 duplicates  64 queued'), line);
  });

  it('omits what does not fit, and shows no numbers before there are any', () => {
    const none = { ...metrics, prequential: { windowed: { accuracy: Number.NaN, loss: Number.NaN } } };
    assert.equal(statusLine(none, 0, 50), '0 samples/s  1,203 updates  – right  loss –');
    assert.equal(statusLine(none, 0, 5), '0 sam');
  });

  it('is shown on a terminal and nowhere else, and ends with its line', async function () {
    // It makes a terminal of a pipe.
    if (spawnSync('script', ['--version']).status !== 0) {
      console.warn('      the test that needs a terminal is skipped: there is no script(1)');
      this.skip();
    }
    await saveState(await createState(net(), { seed: 0 }), at('net.pth'));
    const command = `exec '${process.execPath}' '${binary}' online net.pth --dir learner --port 0`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: at(), stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (!shown.includes('queued') && `${shown}${text}`.includes('queued')) child.stdin.write('\x03');
      shown += text;
    });
    assert.equal(await ended, 130);
    const [, screen] = shown.split(/Listening at 127\.0\.0\.1:\d+\r?\n/);
    assert.ok(screen.startsWith('\r\x1b[K0 samples/s  0 updates  – right  loss –  version 0  0 queued'), screen);
    assert.match(screen, /0 queued(\^C)?\r\nSIGINT: stopping/);
  });
});
