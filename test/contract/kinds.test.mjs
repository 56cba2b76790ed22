// Only a family's own room knows which of its members a value is: elsewhere, another member must need no other line.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { averages } from '../../dist/averages/index.js';
import { datasets } from '../../dist/datasets/index.js';
import { detectors } from '../../dist/detectors/index.js';
import { losses } from '../../dist/losses/index.js';
import { metrics } from '../../dist/metrics/index.js';
import { optimizers } from '../../dist/optimizers/index.js';
import { schedulers } from '../../dist/schedulers/index.js';
import { transforms } from '../../dist/transforms/index.js';
import { root } from '../support.mjs';

const families = { averages, datasets, detectors, losses, metrics, optimizers, schedulers, transforms };

const files = fs
  .readdirSync(path.join(root, 'lib'), { recursive: true })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, text: fs.readFileSync(path.join(root, 'lib', name), 'utf8') }));

describe('the kinds of a family', () => {
  for (const [room, { words }] of Object.entries(families)) {
    it(`are compared nowhere in lib/ but in lib/${room}/`, () => {
      const comparison = new RegExp(`(?:[!=]==?|\\bcase|\\bkind: ?) ?['"](?:${words.join('|')})['"]`);
      const offenders = files
        // The plans of data sets have kinds of their own.
        .filter(({ name }) => !name.startsWith(`${room}/`) && name !== 'native/plans.ts')
        .flatMap(({ name, text }) =>
          text
            .split('\n')
            .flatMap((line, i) => (comparison.test(line) ? [`lib/${name}:${i + 1}: ${line.trim()}`] : [])),
        );
      assert.deepEqual(offenders, []);
    });
  }
});
