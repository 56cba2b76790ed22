// A learner beside a model of it in memory: what its counts, versions and known ids must be after each operation. For
// online-machine.long.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OnlineLearner, repairLearner, reproduceVersion } from 'torch-incremental';
import {
  classes,
  dataset,
  given,
  idOf,
  mistakes,
  model,
  refused,
  samplesOf,
  size,
  wrongSettings,
} from './machine-inputs.mjs';
import { Versions } from './machine-versions.mjs';

const firstSettings = { batchSize: 2, keepVersions: 3, every: 2 };

export class Machine {
  #dir;
  #learner;
  #settings = firstSettings;
  /** Ids that were settled, and those of predictions that wait for labels. */
  #known = new Set();
  #waiting = [];
  #joined = [];
  #counts = { learned: 0, quarantined: 0, duplicates: 0, dropped: 0, updates: 0, learnedFrom: 0 };
  #versions = new Versions(firstSettings);
  /** For ids of samples that nothing else knows. */
  #next = 10_000;

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
    const bad = samples.flatMap((sample, i) => (this.#settles(sample) === 'quarantined' ? i : []));
    const result = await this.#learner.learn(samplesOf(samples));
    const { learned, quarantined, duplicates } = this.#counts;
    this.#update(learned - before.learned);
    assert.equal(result.prequential.samples, learned - before.learned);
    assert.equal(result.quarantined, quarantined - before.quarantined);
    assert.deepEqual(result.reasons.map(({ index }) => index).sort(), bad);
    assert.equal(result.duplicates, duplicates - before.duplicates);
    if (this.#versions.areSure) assert.equal(result.version, this.#versions.serving);
  }

  /** Counts a sample, and says as what. */
  #settles(sample) {
    const id = idOf(sample);
    const as = this.#known.has(id) ? 'duplicates' : sample.kind === 'good' ? 'learned' : 'quarantined';
    if (id !== undefined) this.#known.add(id);
    this.#counts[as]++;
    return as;
  }

  /** New samples of one call, in as few updates as there may be. */
  #update(samples) {
    for (let rest = samples; rest > 0; rest -= this.#settings.batchSize) {
      this.#counts.updates++;
      this.#versions.update();
    }
  }

  async stream({ batches }) {
    for (const sample of batches.flat()) this.#settles(sample);
    let results = 0;
    for await (const result of this.#learner.stream(batches.map(samplesOf))) results += Number(result !== undefined);
    assert.equal(results, batches.length);
    this.#leaveToTime();
  }

  /** Leaves a stream early: of what came by then each is somewhere, and nothing waits for ever. */
  async leave({ batches, after, overflow }) {
    let results = 0;
    for await (const result of this.#learner.stream(batches.map(samplesOf), { overflow, highWaterMark: 2 })) {
      if (result && ++results > after) break;
    }
    for (let tries = 0; this.#learner.metrics().queued > 0; tries++) {
      assert.ok(tries < 10_000, `${this.#learner.metrics().queued} samples wait for ever`);
      await sleep(2);
    }
    const { learned, quarantined, duplicates, dropped } = this.#learner.metrics();
    const [some, others] = [learned + quarantined, this.#counts.learned + this.#counts.quarantined];
    assert.ok(some >= others && duplicates >= this.#counts.duplicates && dropped >= this.#counts.dropped);
    this.#counts = { ...this.#counts, learned, quarantined, duplicates, dropped };
    this.#leaveToTime();
    // Samples that were left out and have ids are offered again: those that were learned are known.
    const named = batches.flat().filter((sample) => idOf(sample) !== undefined);
    if (named.length > 0) await this.#learner.learn(samplesOf(named));
    // It follows all operations under way, such as a version of the last batch.
    await this.#learner.fingerprint();
    for (const sample of named) this.#known.add(idOf(sample));
    const now = this.#learner.metrics();
    assert.equal(now.offered, learned + quarantined + duplicates + dropped + named.length);
    this.#counts = { ...this.#counts, learned: now.learned, quarantined: now.quarantined, duplicates: now.duplicates };
    this.#leaveToTime();
  }

  /** One sample, finite, of which no finite loss comes: the others can be learned, and each is counted once. */
  async outlier({ count, at }) {
    const good = Array.from({ length: count }, () => ({ id: this.#next++, kind: 'good', form: 'number' }));
    const all = good.toSpliced(at % (count + 1), 0, { id: this.#next++, kind: 'outlier', form: 'number' });
    const { learned, quarantined, duplicates } = this.#counts;
    await this.#learner.learn(samplesOf(all));
    const first = this.#learner.metrics();
    assert.equal(first.learned + first.quarantined, learned + quarantined + all.length);
    await this.#learner.learn(samplesOf(good));
    const second = this.#learner.metrics();
    // Those that were set aside with it were free to come again.
    assert.equal(second.learned + second.duplicates, first.learned + duplicates + count);
    const { logits } = await this.#learner.predict(Float32Array.from({ length: size }, (_, i) => Math.sin(i)));
    assert.ok(logits.every(Number.isFinite), 'what serves is not finite');
    this.#counts = {
      ...this.#counts,
      learned: second.learned,
      quarantined: second.quarantined,
      duplicates: second.duplicates,
    };
    for (const sample of good) this.#known.add(idOf(sample));
    this.#leaveToTime();
  }

  /** How many samples are in one update was a matter of time: it is taken as it is, until the next version is sure again. */
  #leaveToTime() {
    this.#counts.updates = this.#learner.metrics().updates;
    this.#versions.areSure = false;
  }

  async predict({ count }) {
    const { ids, labels, version } = await this.#learner.predict(
      Float32Array.from({ length: count * size }, (_, i) => Math.sin(i)),
    );
    assert.equal(ids.length, count);
    assert.equal(labels.length, count);
    const { areSure, since, serving } = this.#versions;
    assert.equal(version.durable, serving);
    assert.ok(version.updates <= this.#counts.updates);
    if (areSure && since > 0) assert.equal(version.updates, this.#counts.updates);
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

  /** A label that there is no class for: its sample waits for another one. */
  async wrongLabel() {
    if (this.#waiting.length === 0) return;
    const { quarantined, unknown } = await this.#learner.feedback([this.#waiting[0]], [classes]);
    assert.deepEqual({ quarantined, unknown }, { quarantined: 1, unknown: 0 });
    this.#counts.quarantined++;
  }

  async rollback({ which }) {
    const version = this.#versions.kept[which % this.#versions.kept.length];
    const info = await this.#learner.rollback(version);
    assert.equal(info.version, version);
    this.#versions.serve(version);
  }

  /** Makes a version, unless the weights are one already. */
  async publish() {
    const { areSure, since } = this.#versions;
    const { version } = await this.#learner.publish();
    if (!areSure) this.#versions.read(this.#learner);
    else if (since > 0) this.#versions.add();
    assert.equal(version, this.#versions.serving);
  }

  async save() {
    const file = path.join(this.#dir, '..', 'saved.pth');
    await this.#learner.save(file);
    assert.ok(fs.statSync(file).size > 0);
  }

  async learnFrom({ rounds, sampleSize }) {
    const { updates, version } = await this.#learner.learnFrom(dataset, { rounds, sampleSize });
    const drawn = Math.min(sampleSize, 5);
    const { areSure } = this.#versions;
    for (let round = 0; round < rounds; round++) {
      this.#update(drawn);
      this.#versions.add();
    }
    this.#counts.learnedFrom += rounds * drawn;
    assert.equal(updates, rounds * Math.ceil(drawn / this.#settings.batchSize));
    if (!areSure) this.#versions.read(this.#learner);
    assert.equal(version, this.#versions.serving);
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
    this.#versions.change(this.#settings);
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

  async repair({ closed, apply }) {
    if (!closed) return void (await refused(() => repairLearner(this.#dir), 'repair', ['ERR_BUSY']));
    await this.#learner.close();
    const { damaged, torn, movedTo } = await repairLearner(this.#dir, { apply });
    assert.deepEqual({ damaged, torn, movedTo }, { damaged: false, torn: null, movedTo: null });
    await this.#open(this.#settings);
  }

  async reproduce({ which, closed }) {
    const version = this.#versions.kept[which % this.#versions.kept.length];
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
    const { offered, learned, duplicates, dropped, quarantined, queued, updates, learnedFrom } = metrics;
    assert.equal(offered, learned + duplicates + dropped + quarantined + queued, message);
    assert.equal(queued, 0, message);
    assert.deepEqual({ learned, quarantined, duplicates, dropped, updates, learnedFrom }, this.#counts, message);
    if (!this.#versions.areSure) this.#versions.read(this.#learner);
    this.#versions.check(this.#learner, message);
  }
}
