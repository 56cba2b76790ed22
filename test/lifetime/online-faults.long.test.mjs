// A learner to which everything happens at once: killed 200 times at any moment, on disks that fail, and after losses of power, with
// other settings after each. Nothing that was acknowledged is lost, and all that was offered is counted once. STORM_SEED=… makes
// another storm.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root, temporaryFolder } from '../support.mjs';
import { afterLossOfPower, Control, compileFaults, operations, readLog, runPreloaded } from './disk.mjs';
import { assertNothingLost, Book, optionsOf, randomFrom } from './storm.mjs';

const script = path.join(root, 'test/lifetime/fixtures/storm-life.mjs');
const seed = Number(process.env.STORM_SEED ?? 1);
const kills = Number(process.env.STORM_KILLS ?? 200);
const cuts = Number(process.env.STORM_CUTS ?? 60);

/** A process that waits for instructions. */
function standby() {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  const over = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  let said = '';
  let complaint = '';
  let hears = () => {};
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
    hears(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  return {
    /** Runs one life, and kills it so long after it said a word. Resolves with the lines that it said whole. */
    async live(what, word, killAfter) {
      const heard = new Promise((resolve) => {
        hears = () => said.includes(word) && resolve();
      });
      child.stdin.end(JSON.stringify(what));
      await Promise.race([heard, over]);
      await Promise.race([sleep(killAfter), over]);
      child.kill('SIGKILL');
      const { code, signal } = await over;
      assert.equal(signal, 'SIGKILL', `ended with ${code}: ${complaint}`);
      return said
        .slice(0, said.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1);
    },
    dismiss: () => child.kill('SIGKILL'),
  };
}

describe('a learner to which everything happens at once', function () {
  this.timeout(900_000);
  const at = temporaryFolder();
  // LD_PRELOAD knows no spaces.
  const library = temporaryFolder('torch-incremental-faults-')('faults.so');

  // Lost predictions cause hundreds of warnings.
  const listeners = process.listeners('warning');
  before(() => process.removeAllListeners('warning'));
  after(() => {
    for (const listener of listeners) process.on('warning', listener);
  });

  async function killAgainAndAgain(name, times) {
    const random = randomFrom(seed * 7919 + name);
    const dir = at(`${name}`);
    const book = new Book();
    const sums = { acknowledged: 0, opened: 0 };
    let next = standby();
    for (let life = 0; life < times; life++) {
      const child = next;
      next = standby();
      const number = name * 10_000 + life;
      const what = {
        dir,
        life: number,
        seed: random.below(2 ** 31),
        first: (life + 1) * 100_000,
        saveTo: at(`${name}.pth`),
      };
      const [word, longest] = life % 5 === 4 ? ['opening', 60] : ['open\n', 180];
      try {
        const lines = await child.live(what, word, random.next() * longest);
        for (const line of lines) if ('?+'.includes(line[0])) book.note(line[0], line.slice(1).split(' '));
        if (lines.includes('!open')) sums.opened++;
        sums.acknowledged += lines.filter((line) => line[0] === '+').length;
        await assertNothingLost(dir, optionsOf(number), book);
      } catch (error) {
        next.dismiss();
        error.message = `STORM_SEED=${seed}, folder ${name}, life ${life}: ${error.message}`;
        throw error;
      }
    }
    next.dismiss();
    return sums;
  }

  it(`loses nothing in ${kills} kills`, async () => {
    // Two at a time: a process that starts or opens leaves a core idle.
    const sums = await Promise.all([1, 2].map((name) => killAgainAndAgain(name, kills / 2)));
    for (const { acknowledged, opened } of sums) {
      assert.ok(opened > kills / 5 && acknowledged > kills / 2, `${opened} were open, ${acknowledged} acknowledged`);
    }
  });

  /** Every kind of file, and any. */
  const patterns = ['journal-', 'snapshot-', 'version-', '.json', 'quarantine', 'pending-', 'joined-', 'lock', ''];
  const errors = ['ENOSPC', 'EIO', 'EDQUOT'];

  for (const error of errors) {
    it(`loses nothing where the disk answers ${error}, to each operation on each kind of file`, async function () {
      compileFaults(this, library);
      const random = randomFrom(seed);
      const trials = Object.keys(operations).flatMap((operation) =>
        patterns.flatMap((pattern) =>
          [false, true].map((forever) => ({
            operation,
            pattern,
            error,
            forever,
            half: operation === 'write' && random.next() < 0.5,
          })),
        ),
      );
      const control = Control.create(at(`${error}.control`));
      fs.mkdirSync(at(error));
      const given = { folder: at(error), control, saveTo: at(`${error}.pth`), seed, trials };
      const lines = await runPreloaded(library, 'storm-faults.mjs', given, {
        FAULTS_ROOT: at(error),
        FAULTS_CONTROL: control,
      });
      const results = lines.map((line) => JSON.parse(line));
      assert.equal(results.length, trials.length);
      const problems = results.flatMap(({ problem }) => problem ?? []);
      assert.equal(
        problems.length,
        0,
        `STORM_SEED=${seed}: ${problems.length} problems\n${problems.slice(0, 10).join('\n')}`,
      );
      const hit = results.filter(({ hits }) => hits > 0);
      assert.ok(hit.length > trials.length / 3, `${hit.length} of ${trials.length} faults happened`);
      const stopped = hit.filter(({ codes }) => codes.length > 0);
      assert.ok(stopped.length > 10, `only ${stopped.length} faults were reported`);
    });
  }

  for (const sync of ['always', { everyMs: 10 }]) {
    it(`loses nothing that was to be on the disk in a loss of power, with sync ${JSON.stringify(sync)}`, async function () {
      compileFaults(this, library);
      const random = randomFrom(seed);
      const name = `power ${sync === 'always'}`;
      fs.mkdirSync(at(name));
      const [dir, acknowledgements, log] = ['learner', 'acknowledgements', 'log'].map((part) =>
        path.join(at(name), part),
      );
      const given = { dir, acknowledgements, saveTo: at(`${name}.pth`), seed, sync, lives: 5 };
      const environment = { FAULTS_ROOT: at(name), FAULTS_LOG: log };
      await runPreloaded(library, 'storm-power.mjs', given, environment);
      const entries = readLog(log);
      let surely = 0;
      for (let cut = 0; cut < cuts; cut++) {
        const length = 1 + random.below(entries.length);
        const { book, known, life } = bookOf(entries.slice(0, length), acknowledgements, sync);
        const how = random.oneOf([['nothing'], ['whole'], ['nothing', 'whole', 'part', 'zeros']]);
        const left = at(`${name} ${cut}`);
        afterLossOfPower(entries, length, dir, left, () => random.oneOf(how));
        try {
          await assertNothingLost(left, optionsOf(life, sync), book, { mayRepair: true, known, hasHoles: true });
        } catch (error) {
          error.message = `STORM_SEED=${seed}, cut ${cut}, after ${length} of ${entries.length} changes, ${how}: ${error.message}`;
          throw error;
        }
        fs.rmSync(left, { recursive: true });
        surely += known.size;
      }
      assert.ok(surely > 10 * cuts, `only ${surely} ids had to be there in ${cuts} losses of power`);
    });
  }
});

/**
 * What was offered before a loss of power, and which of it must be known: all that was acknowledged, or what was before the last sync
 * of the journal, which is never long ago.
 */
function bookOf(entries, acknowledgements, sync) {
  const book = new Book();
  const known = new Set();
  const number = entries.find(({ kind, name }) => kind === 'create' && name === acknowledgements)?.number;
  let synced = -1;
  const begun = new Map();
  for (const [i, { kind, name, number: file }] of entries.entries()) {
    if (!/journal-\d+\.log$/.test(name)) continue;
    if (kind === 'sync') begun.set(file, i);
    if (kind === 'synced') synced = Math.max(synced, begun.get(file));
  }
  const end = entries.at(-1).ms;
  for (const [i, { kind, number: file, data, ms }] of entries.entries()) {
    if (kind !== 'write' || file !== number) continue;
    const [mark, ids] = [data.toString()[0], data.toString().trim().slice(1).split(' ')];
    book.note(mark, ids);
    if (mark !== '+') continue;
    if (sync === 'always' || i < synced) for (const id of ids) known.add(id);
    else assert.ok(end - ms < 100 * sync.everyMs, `acknowledged ${end - ms} ms ago, and not synced`);
  }
  return {
    book,
    known,
    life: Math.max(0, ...[...book.offered].map((id) => Math.floor(Number(/G(\d+)$/.exec(id)?.[1] ?? 0) / 1000) - 1)),
  };
}
