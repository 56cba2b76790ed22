// Model of a learner's versions: those that are kept, and the one that serves. For machine.mjs.
import assert from 'node:assert/strict';

export class Versions {
  kept = [0];
  serving = 0;
  /** Whether it is known how many updates it takes to the next: where several samples are on their way, that is a matter of time. */
  areSure = true;
  /** Updates since the weights were the version; as long as they are sure. */
  since = 0;
  #settings;
  #until;

  constructor(settings) {
    this.#settings = settings;
    this.#until = settings.every;
  }

  update() {
    this.since++;
    if (this.areSure && --this.#until <= 0) this.add();
  }

  /** A new one is made, and serves. The oldest go. */
  add() {
    const version = this.kept.at(-1) + 1;
    this.kept.push(version);
    this.serve(version);
    const surplus = Math.max(0, this.kept.length - this.#settings.keepVersions);
    const old = this.kept.filter((one) => one !== this.serving).slice(0, surplus);
    this.kept = this.kept.filter((one) => !old.includes(one));
  }

  serve(version) {
    this.serving = version;
    this.since = 0;
    this.#until = this.#settings.every;
    this.areSure = true;
  }

  change(settings) {
    this.#settings = settings;
    this.#until = Math.min(this.#until, settings.every);
  }

  /** Takes it as it is. */
  read(learner) {
    this.kept = learner.versions().map(({ version }) => version);
    this.serving = learner.metrics().version;
  }

  check(learner, message) {
    assert.equal(learner.metrics().version, this.serving, message);
    assert.deepEqual(
      learner.versions().map(({ version }) => version),
      this.kept,
      message,
    );
    assert.ok(this.kept.includes(this.serving), message);
  }
}
