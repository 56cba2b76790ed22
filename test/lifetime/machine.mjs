// A learner beside a model of it in memory: what its counts, versions and known ids must be behind each operation. For
// online-machine.long.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LearnError, OnlineLearner, repairLearner, reproduceVersion } from 'torch-incremental';
import { classes, dataset, given, mistakes, model, samplesOf, size, wrongSettings } from './machine-inputs.mjs';

const firstSettings = { batchSize: 2, keepVersions: 3, every: 2 };

export class Machine {
  #dir;
  #learner;
  #settings = firstSettings;
  /** Ids that were settled, and those of predictions that wait for labels. */
  #known = new Set();
  #waiting = [];
  #joined = [];
  #counts = { learned: 0, quarantined: 0, duplicates: 0, dropped: 0, updates: 0, rehearsed: 0 };
  #versions = [0];
  #serving = 0;
  #until = firstSettings.every;

  static async begin(dir) {
    const machine = new Machine();
    machine.#dir = dir;
    await machine.#open(firstSettings);
    return machine;
  }

  async #open({ every, ...settings }, more = {}) {
    const options = { dir: this.#dir, ...given, ...settings, gate: { every }, ...more };
    this.#learner = await OnlineLearner.open(options);
  }

  async run(operation) {
    await this[operation.do](operation);
    this.#check(JSON.stringify(operation));
  }

  async end() {
    await this.#learner.close();
  }

  nothing() {}

  async learn({ samples }) {
    const before = { ...this.#counts };
    const fresh = samples.filter((sample) => this.#settles(sample));
    const result = await this.#learner.learn(samplesOf(samples));
    this.#update(fresh.length);
    const { learned, quarantined, duplicates } = this.#counts;
    assert.equal(result.prequential.samples, learned - before.learned);
    assert.equal(result.quarantined, quarantined - before.quarantined);
    assert.equal(result.duplicates, duplicates - before.duplicates);
    if (this.#until !== undefined) assert.equal(result.version, this.#serving);
  }

  /** Counts a sample; whether it is one to be learned. */
  #settles({ id, kind, form }) {
    if (!['none', 'null'].includes(form)) {
      if (this.#known.has(String(id))) {
        this.#counts.duplicates++;
        return false;
      }
      this.#known.add(String(id));
    }
    this.#counts[kind === 'good' ? 'learned' : 'quarantined']++;
    return kind === 'good';
  }

  /** New samples of one call, in as few updates as there may be. */
  #update(samples) {
    for (let rest = samples; rest > 0; rest -= this.#settings.batchSize) this.#oneUpdate();
  }

  #oneUpdate() {
    this.#counts.updates++;
    if (this.#until !== undefined && --this.#until <= 0) this.#newVersion();
  }

  #newVersion() {
    const version = this.#versions.at(-1) + 1;
    this.#until = this.#settings.every;
    this.#versions.push(version);
    this.#serving = version;
    const surplus = Math.max(0, this.#versions.length - this.#settings.keepVersions);
    const old = this.#versions.filter((one) => one !== this.#serving).slice(0, surplus);
    this.#versions = this.#versions.filter((one) => !old.includes(one));
  }

  async stream({ batches }) {
    for (const sample of batches.flat()) this.#settles(sample);
    let told = 0;
    for await (const result of this.#learner.stream(batches.map(samplesOf))) told += Number(result !== undefined);
    assert.equal(told, batches.length);
    this.#leaveToTime();
  }

  /** Leaves a stream early: of what came by then each is somewhere, and nothing waits for ever. */
  async leave({ batches, after, overflow }) {
    let told = 0;
    for await (const result of this.#learner.stream(batches.map(samplesOf), { overflow, highWaterMark: 2 })) {
      if (result && ++told > after) break;
    }
    for (let tries = 0; this.#learner.metrics().queued > 0; tries++) {
      assert.ok(tries < 500, `${this.#learner.metrics().queued} samples wait for ever`);
      await sleep(2);
    }
    const { learned, quarantined, duplicates, dropped } = this.#learner.metrics();
    const [some, others] = [learned + quarantined, this.#counts.learned + this.#counts.quarantined];
    assert.ok(some >= others && duplicates >= this.#counts.duplicates && dropped >= this.#counts.dropped);
    this.#counts = { ...this.#counts, learned, quarantined, duplicates, dropped };
    this.#leaveToTime();
    // What was left out and has an id is offered again: those that were learned are known.
    const named = batches.flat().filter(({ form }) => !['none', 'null'].includes(form));
    if (named.length > 0) await this.#learner.learn(samplesOf(named));
    for (const { id } of named) this.#known.add(String(id));
    const now = this.#learner.metrics();
    assert.equal(now.offered, learned + quarantined + duplicates + dropped + named.length);
    this.#counts = { ...this.#counts, learned: now.learned, quarantined: now.quarantined, duplicates: now.duplicates };
    this.#leaveToTime();
  }

  /** How many samples are in one update was a matter of time: it is taken as it is, until the next version is sure again. */
  #leaveToTime() {
    this.#counts.updates = this.#learner.metrics().updates;
    this.#until = undefined;
  }

  #readVersions() {
    this.#versions = this.#learner.versions().map((info) => info.version);
    this.#serving = this.#learner.metrics().version;
    assert.ok(this.#versions.includes(this.#serving));
  }

  async predict({ count }) {
    const { ids, labels, version } = await this.#learner.predict(
      Float32Array.from({ length: count * size }, (_, i) => Math.sin(i)),
    );
    assert.equal(ids.length, count);
    assert.equal(labels.length, count);
    assert.equal(version, this.#serving);
    this.#waiting.push(...ids);
  }

  async feedback({ count, again, strangers }) {
    const fresh = this.#waiting.splice(0, count);
    const old = this.#joined.slice(0, again);
    const ids = [...fresh, ...old, ...Array.from({ length: strangers }, (_, i) => `0123456789abcdef-${i}`)];
    if (ids.length === 0) return;
    const result = await this.#learner.feedback(
      ids,
      ids.map((_, i) => i % classes),
    );
    assert.equal(result.unknown, strangers);
    assert.equal(result.duplicates, old.length);
    assert.equal(result.prequential.samples, fresh.length);
    this.#joined.push(...fresh);
    for (const id of fresh) this.#known.add(id);
    this.#counts.learned += fresh.length;
    this.#counts.duplicates += old.length;
    this.#update(fresh.length);
  }

  async rollback({ which }) {
    const version = this.#versions[which % this.#versions.length];
    const info = await this.#learner.rollback(version);
    assert.equal(info.version, version);
    this.#serving = version;
    this.#until = this.#settings.every;
  }

  async save() {
    const file = path.join(this.#dir, '..', 'saved.pth');
    await this.#learner.save(file);
    assert.ok(fs.statSync(file).size > 0);
  }

  async rehearse({ rounds, sampleSize }) {
    const { updates, version } = await this.#learner.rehearse(dataset, { rounds, sampleSize });
    const drawn = Math.min(sampleSize, 5);
    const isSure = this.#until !== undefined;
    for (let round = 0; round < rounds; round++) {
      this.#update(drawn);
      this.#newVersion();
    }
    this.#counts.rehearsed += rounds * drawn;
    assert.equal(updates, rounds * Math.ceil(drawn / this.#settings.batchSize));
    if (!isSure) this.#readVersions();
    assert.equal(version, this.#serving);
  }

  async mistake({ what }) {
    const before = await this.#learner.fingerprint();
    await refused(() => mistakes[what](this.#learner), what);
    assert.equal(await this.#learner.fingerprint(), before, `${what} changed something`);
  }

  async reopen({ settings }) {
    const same = Object.keys(settings).length === 0;
    const before = same && (await this.#learner.fingerprint());
    await this.#closeTwice();
    this.#settings = { ...this.#settings, ...settings };
    await this.#open(this.#settings);
    if (same) assert.equal(await this.#learner.fingerprint(), before, 'opened again, it is another');
    if (settings.every !== undefined && this.#until !== undefined) this.#until = Math.min(this.#until, settings.every);
  }

  async #closeTwice() {
    await Promise.all([this.#learner.close(), this.#learner.close()]);
    const call = await this.#learner
      .learn(samplesOf([{ id: 1, kind: 'good', form: 'number' }]))
      .catch((error) => error);
    assert.equal(call.code, 'ERR_DISPOSED');
  }

  async reopenWrongly({ what }) {
    const before = await this.#learner.fingerprint();
    await this.#learner.close();
    await refused(() => this.#open(this.#settings, wrongSettings[what]), what);
    await this.#open(this.#settings);
    assert.equal(await this.#learner.fingerprint(), before, `${what} changed something`);
  }

  async repair({ closed }) {
    if (!closed) return void (await refused(() => repairLearner(this.#dir), 'repair', ['ERR_BUSY']));
    await this.#learner.close();
    const { damaged, torn, movedTo } = await repairLearner(this.#dir, { apply: true });
    assert.deepEqual({ damaged, torn, movedTo }, { damaged: false, torn: null, movedTo: null });
    await this.#open(this.#settings);
  }

  async reproduce({ which, closed }) {
    const version = this.#versions[which % this.#versions.length];
    if (!closed)
      return void (await refused(() => reproduceVersion(this.#dir, 1, { model }), 'reproduce', ['ERR_BUSY']));
    const before = await this.#learner.fingerprint();
    await this.#learner.close();
    if (version === 0)
      await refused(() => reproduceVersion(this.#dir, 0, { model }), 'version 0', ['ERR_INVALID_OPTION']);
    else assert.equal((await reproduceVersion(this.#dir, version, { model })).version.version, version);
    await refused(() => reproduceVersion(this.#dir, 1000, { model }), 'a version that never was', [
      'ERR_INVALID_OPTION',
    ]);
    await this.#open(this.#settings);
    assert.equal(await this.#learner.fingerprint(), before, 'reproducing a version changed something');
  }

  #check(message) {
    const metrics = this.#learner.metrics();
    const { offered, learned, duplicates, dropped, quarantined, queued, updates, rehearsed, version } = metrics;
    assert.equal(offered, learned + duplicates + dropped + quarantined + queued, message);
    assert.equal(queued, 0, message);
    assert.deepEqual({ learned, quarantined, duplicates, dropped, updates, rehearsed }, this.#counts, message);
    if (this.#until === undefined) this.#readVersions();
    assert.equal(version, this.#serving, message);
    assert.deepEqual(
      this.#learner.versions().map((info) => info.version),
      this.#versions,
      message,
    );
  }
}

/** Rejects with an error of ours, and not with one of JavaScript's. */
async function refused(call, what, codes) {
  let error;
  try {
    await call();
  } catch (cause) {
    error = cause;
  }
  assert.ok(error, `${what} was taken`);
  assert.ok(error instanceof LearnError, `${what}: ${error.stack}`);
  if (codes) assert.ok(codes.includes(error.code), `${what}: ${error.code} ${error.message}`);
}
