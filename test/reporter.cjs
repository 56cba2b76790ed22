// Mocha's dots, ended by one line with the counts that .ci/run repeats. A skipped test is neither passed nor failed.
const { reporters, Runner } = require('mocha');

module.exports = class Reporter extends reporters.Dot {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      if (pending > 0) console.log(`${pending} skipped; the reasons stand above`);
      console.log(`${passes} passed, ${failures} failed`);
    });
  }
};
